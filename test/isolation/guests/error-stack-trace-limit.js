// How long stacks are.
const before = Error.stackTraceLimit;
export const first = () => {
  Error.stackTraceLimit = 1;
};
export const second = () => (Error.stackTraceLimit === before ? [] : [Error.stackTraceLimit]);
