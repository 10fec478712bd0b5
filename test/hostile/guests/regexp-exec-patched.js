// Attack: an exec of its own, which gives results without end to the engine's functions.
// Ends: call time
// Ends: call memory
export const attack = () => {
  const endless = /a/g;
  endless.exec = () => ({ index: 0, 0: "", length: 2 ** 31 });
  "a".replace(endless, "");
};
