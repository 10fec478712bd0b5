// Attack: a stream whose start() fills its queue without end.
// Limits: heapBytesMax=16000000
// Ends: call memory
export const attack = () =>
  new ReadableStream({
    start(controller) {
      for (;;) controller.enqueue("x");
    },
  });
