// Globals that are missing.
const before = Object.getOwnPropertyNames(globalThis);
export const first = () => {
  for (const name of ["URL", "Blob", "Map", "TextDecoder", "escape"]) delete globalThis[name];
};
export const second = () => before.filter((name) => !(name in globalThis));
