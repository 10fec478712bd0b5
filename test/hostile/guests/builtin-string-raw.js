// Attack: String.raw and fromCodePoint with endless lists.
// Ends: call time
// Ends: call threw
// Ends: call memory
export const attack = () =>
  String.raw({ raw: { length: 2 ** 53 - 1 } }, 1) +
  String.fromCodePoint.apply(null, { length: 2 ** 31 });
