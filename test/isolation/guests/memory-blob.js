// What blobs and files hold.
const kept = [];
export const first = async (secret) => {
  const blob = new Blob([secret, new Blob([secret])]);
  kept.push(blob);
  return (await blob.text()).length;
};
export const second = async () => Promise.all(kept.map((blob) => blob.text()));
