// Whatever an async function waits for goes through Promise.prototype.then.
const { then } = Promise.prototype;
export const first = (secret) => {
  const seen = (globalThis.seen = [secret]);
  Promise.prototype.then = function (...handlers) {
    seen.push("then");
    return Reflect.apply(then, this, handlers);
  };
};
export const second = async () => {
  await null;
  return Promise.prototype.then === then && globalThis.seen === undefined ? [] : ["then"];
};
