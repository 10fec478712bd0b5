// Attack: throws a proxy of an error, each trap of which throws another one.
// Ends: call threw
const handler = new Proxy(
  {},
  {
    get() {
      throw new Proxy(new Error(), handler);
    },
  },
);
export const attack = () => {
  throw new Proxy(new Error("inner"), handler);
};
