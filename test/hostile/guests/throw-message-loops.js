// Attack: an error whose message takes for ever.
// Ends: call time
export const attack = () => {
  const error = new Error();
  Object.defineProperty(error, "message", {
    get() {
      for (;;);
    },
  });
  throw error;
};
