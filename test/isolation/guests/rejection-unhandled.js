// ends: Threw
// A rejection that nobody handled is not the next call's.
let kept;
export const first = (secret) => {
  kept = Promise.reject(new Error(secret));
};
export const second = async () =>
  kept === undefined ? [] : [await kept.catch((error) => error.message)];
