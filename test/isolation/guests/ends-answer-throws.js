// ends: Threw
// An answer that cannot be written down.
let seen = 0;
export const first = () => ({
  toJSON() {
    ++seen;
    throw new TypeError("no");
  },
});
export const second = () => (seen === 0 ? [] : [seen]);
