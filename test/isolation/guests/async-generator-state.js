// An async iterator that was read by half.
async function* generate() {
  for (let count = 0; ; ++count) yield count;
}
const generator = generate();
export const first = async () => {
  for (let count = 0; count < 3; ++count) await generator.next();
  generator.next();
};
export const second = async () => {
  const { value } = await generator.next();
  return value === 0 ? [] : [value];
};
