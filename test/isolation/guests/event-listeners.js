// Listeners of a target that the module made.
const target = new EventTarget();
const came = [];
export const first = (secret) => {
  target.addEventListener("left", () => came.push(secret));
};
export const second = () => {
  target.dispatchEvent(new Event("left"));
  return came;
};
