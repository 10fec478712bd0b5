// Attack: Function.prototype.call, apply and bind, and Reflect.*, while errors are described.
// Ends: call threw
export const attack = () => {
  for (const name of ["call", "apply", "bind", "toString"])
    Function.prototype[name] = () => {
      throw new Error("patched");
    };
  Function.prototype[Symbol.hasInstance];
  for (const name of Object.getOwnPropertyNames(Reflect))
    Reflect[name] = () => {
      throw new Error("patched");
    };
  for (const name of Object.getOwnPropertyNames(Object))
    if (typeof Object[name] === "function" && name !== "prototype")
      Object[name] = () => {
        throw new Error("patched");
      };
  throw new Error("described", { cause: { a: 1 } });
};
