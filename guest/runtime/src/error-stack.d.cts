declare const errorStack: {
  errorStack(error: { stack?: unknown }): unknown;
  promiseState(promise: Promise<unknown>): readonly [state: 0 | 1 | 2, result?: unknown];
};
export default errorStack;
