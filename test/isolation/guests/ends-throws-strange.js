// ends: Threw
// A call that threw what looks back at who reads it.
let seen = 0;
export const first = () => {
  throw new Proxy(new Error("x"), {
    get(target, name) {
      ++seen;
      if (name === "stack") throw target;
      return Reflect.get(target, name);
    },
  });
};
export const second = () => (seen === 0 ? [] : [seen]);
