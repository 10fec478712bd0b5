// The object of a tagged template, which is made once for each place.
const tag = (strings) => strings;
const place = () => tag`one${1}two`;
const seen = new WeakMap();
export const first = (secret) => {
  seen.set(place(), secret);
};
export const second = () => (seen.has(place()) ? [seen.get(place())] : []);
