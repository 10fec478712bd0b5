// A generator between two values.
function* generate() {
  let last = yield "begin";
  for (;;) last = yield last;
}
const generator = generate();
generator.next();
let started = false;
export const first = (secret) => {
  started = true;
  generator.next(secret);
};
export const second = () =>
  [started ? (generator.next().value ?? "resumed") : undefined].filter(
    (found) => found !== undefined,
  );
