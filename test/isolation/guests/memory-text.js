// worker: nothing, since no decoder shows what it did not read
// Texts that are decoded, sliced and joined where the secret was.
const decoder = new TextDecoder();
export const first = (secret) => {
  let text = "";
  for (let count = 0; count < 2000; ++count) text += secret + count;
  return new TextEncoder().encode(text).length + text.split("").reverse().join("").length;
};
export const second = () => {
  const found = [];
  for (let size = 1; size < 5000; size = size * 2 + 1) {
    const text = decoder.decode(new Uint8Array(size));
    if (/[^\0]/.test(text)) found.push(text);
    if (new Array(size).join("x").length !== size - 1) found.push("join");
  }
  return found;
};
