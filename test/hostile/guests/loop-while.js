// Attack: a loop that catches whatever could end it.
// Ends: call time
export const attack = () => {
  while (true) {
    try {
      while (true);
    } catch {
      continue;
    } finally {
      continue;
    }
  }
};
