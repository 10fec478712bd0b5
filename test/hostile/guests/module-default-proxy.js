// Attack: the default export loops when it is asked for a function.
// Ends: call time
export default new Proxy(
  {},
  {
    getOwnPropertyDescriptor() {
      for (;;);
    },
  },
);
