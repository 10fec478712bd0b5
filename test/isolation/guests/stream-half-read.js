// A stream that was read by half, and stays locked.
const stream = new ReadableStream({
  start(controller) {
    for (let count = 0; count < 10; ++count) controller.enqueue(count);
  },
});
export const first = async () => {
  const reader = stream.getReader();
  await reader.read();
  await reader.read();
};
export const second = async () => {
  if (stream.locked) return ["locked"];
  const { value } = await stream.getReader().read();
  return value === 0 ? [] : [value];
};
