// The console's indentation.
export const first = (secret) => {
  console.group(secret);
  console.group();
};
export const second = () => {
  console.log("where\ndoes it begin");
  return [];
};
