// ends: TimeExceeded
// worker: nothing, since a guest that was stopped is not used again
// A call that tries to go on after it was stopped.
let kept = 0;
export const first = () => {
  const again = () => {
    try {
      for (;;) ++kept;
    } finally {
      again();
    }
  };
  again();
};
export const second = () => (kept === 0 ? [] : [kept]);
