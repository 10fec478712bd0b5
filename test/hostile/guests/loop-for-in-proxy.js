// Attack: for-in over a proxy whose prototypes never end.
// Ends: call time
// Ends: call memory
// Ends: call threw RangeError
// Ends: call threw InternalError
const make = () =>
  new Proxy(
    {},
    {
      ownKeys: () => ["a"],
      getOwnPropertyDescriptor: () => ({ configurable: true, enumerable: true, value: 1 }),
      getPrototypeOf: () => make(),
    },
  );
export const attack = () => {
  for (const key in make());
};
