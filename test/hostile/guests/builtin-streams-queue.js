// Attack: a stream whose start() fills its queue without end.
// Limits: runTimeMax=10000 heapBytesMax=16000000
// Ends: call memory
export const attack = () =>
  new ReadableStream({
    start(controller) {
      for (;;) controller.enqueue("x");
    },
  });
