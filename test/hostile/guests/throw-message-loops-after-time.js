// Attack: the same, described when its time is over and nothing interrupts it any more.
// Ends: call time
export const attack = () => {
  const prepare = Error.prepareStackTrace;
  Object.defineProperty(Error.prototype, "message", {
    get() {
      for (;;);
    },
  });
  Object.defineProperty(Error.prototype, "name", {
    get() {
      for (;;);
    },
  });
  Error.prepareStackTrace = () => {
    for (;;);
  };
  for (;;);
};
