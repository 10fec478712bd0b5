// The beginning of a character that waits in a decoder.
const decoder = new TextDecoder();
export const first = () => {
  decoder.decode(new Uint8Array([0xe2, 0x82]), { stream: true });
};
export const second = () => {
  const text = decoder.decode(new Uint8Array([0xac]));
  return text === "\ufffd" ? [] : [text];
};
