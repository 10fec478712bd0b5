// What was written to a stream and waits there.
const { readable, writable } = new TransformStream(
  undefined,
  { highWaterMark: 100 },
  { highWaterMark: 100 },
);
export const first = (secret) => {
  writable.getWriter().write(secret);
};
export const second = async () =>
  writable.locked ? [(await readable.getReader().read()).value] : [];
