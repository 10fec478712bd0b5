// Attack: rejects after the answer, in a microtask, and in a timer.
// Ends: call threw Error: late
export const attack = async () => {
  setTimeout(() => Promise.reject(new Error("later")), 0);
  queueMicrotask(() => Promise.reject(new Error("late")));
  return 1;
};
