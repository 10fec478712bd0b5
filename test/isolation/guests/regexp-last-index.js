// Where a regular expression goes on.
const global = /a/g;
const sticky = /a/y;
export const first = () => {
  global.test("aaa");
  sticky.test("aaa");
};
export const second = () => [global.lastIndex, sticky.lastIndex].filter(Boolean);
