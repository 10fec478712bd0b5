// The console's methods.
const { log, error } = console;
export const first = (secret) => {
  console.log = (...values) => log(secret, ...values);
  console.left = secret;
};
export const second = () => {
  console.log("plain");
  return console.log === log && console.error === error && console.left === undefined
    ? []
    : ["patched"];
};
