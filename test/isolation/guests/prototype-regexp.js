// RegExp.prototype.exec, which every matching method calls.
const { exec } = RegExp.prototype;
export const first = (secret) => {
  RegExp.prototype.exec = function () {
    return Object.assign([secret], { index: 0 });
  };
  RegExp.prototype[Symbol.replace] = () => secret;
};
export const second = () => [
  ..."abc".matchAll(/x/g),
  ...(RegExp.prototype.exec === exec ? [] : ["exec"]),
  ...("a".replace(/b/, "") === "a" ? [] : ["replace"]),
];
