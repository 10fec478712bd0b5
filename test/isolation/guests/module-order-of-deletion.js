// The order of a Map's entries and an object's properties after deletions.
const map = new Map([
  ["a", 1],
  ["b", 2],
  ["c", 3],
]);
const object = { a: 1, b: 2, c: 3 };
export const first = () => {
  map.delete("a");
  map.set("a", 1);
  delete object.a;
  object.a = 1;
};
export const second = () =>
  [[...map.keys()].join(""), Object.keys(object).join("")].filter((order) => order !== "abc");
