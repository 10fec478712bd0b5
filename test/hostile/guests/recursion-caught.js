// Attack: recursion that catches the overflow and goes down again, twice at each depth.
// Ends: call time
const down = () => {
  try {
    down();
  } catch {}
  try {
    down();
  } catch {}
};
export const attack = down;
