// Attack: a body without end that is read as text, and headers without end.
// Limits: runTimeMax=3000 heapBytesMax=16000000
// Ends: call memory
// Ends: call time
// Ends: call threw
export const attack = async () => {
  const headers = new Headers();
  for (let i = 0; i < 10_000; ++i) headers.append("a", "b");
  headers.get("a").length;
  return new Response(
    new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(65_536));
      },
    }),
  ).text();
};
