// Attack: blobs of blobs, each the one before twice.
// Limits: runTimeMax=2000
// Ends: call memory
// Ends: call threw
// Ends: call time
export const attack = async () => {
  let blob = new Blob([new Uint8Array(1024)]);
  for (let i = 0; i < 40; ++i) blob = new Blob([blob, blob]);
  return (await blob.arrayBuffer()).byteLength;
};
