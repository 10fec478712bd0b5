// An async function that was never resumed.
let resume;
let resumed = "";
const wait = async (secret) => {
  await new Promise((resolve) => (resume = resolve));
  resumed = secret;
};
export const first = (secret) => {
  wait(secret);
};
export const second = async () => {
  resume?.();
  await null;
  return resumed === "" ? [] : [resumed];
};
