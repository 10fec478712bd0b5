// A callback after the collector's work.
const came = [];
const registry = new FinalizationRegistry((held) => came.push(held));
const token = {};
export const first = (secret) => {
  registry.register(token, secret, token);
};
export const second = () => [...came, ...(registry.unregister(token) ? ["registered"] : [])];
