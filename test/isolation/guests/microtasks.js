// Jobs that make jobs, up to the end of the call.
const came = [];
export const first = (secret) => {
  let left = 1000;
  const again = () => {
    came.push(secret);
    if (--left > 0) queueMicrotask(again);
  };
  queueMicrotask(again);
};
export const second = () => came.slice(0, 1);
