// Attack: an answer whose `then` is a getter that throws, and one that loops.
// Ends: call time
export const attack = async () => {
  try {
    await {
      get then() {
        throw new Error("then");
      },
    };
  } catch {}
  return {
    get then() {
      for (;;);
    },
  };
};
