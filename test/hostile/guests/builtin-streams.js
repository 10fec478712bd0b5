// Attack: a stream that is read as fast as it can be filled, through a pipe without end.
// Ends: call time
export const attack = async () => {
  const endless = new ReadableStream({
    pull(controller) {
      controller.enqueue(new Uint8Array(16));
    },
  });
  await endless.pipeThrough(new TransformStream()).pipeTo(new WritableStream());
};
