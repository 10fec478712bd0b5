// An exported function, and its own properties.
export let first = (secret) => {
  Object.assign(second, { left: secret });
  second = () => ["replaced"];
};
export let second = () => (second.left === undefined ? [] : [second.left]);
