// Variables of global scripts: `var`, `let`, `const`, `function` and `class`.
const script = globalThis.eval;
export const first = (secret) => {
  globalThis.given = secret;
  script(
    "var leftVar = given; let leftLet = given; const leftConst = given; function leftFunction() {} class LeftClass {}",
  );
};
export const second = () =>
  ["leftVar", "leftLet", "leftConst", "leftFunction", "LeftClass"].filter(
    (name) => script(`typeof ${name}`) !== "undefined",
  );
