// Attack: terminal escapes, NUL and halves of characters on both streams.
// Ends: call answered
export const attack = () => {
  for (const print of [console.log, console.error])
    print("\0\x1b[2J\x1b]0;x\x07\u009b31m\ud800\u202e");
};
