// Attack: do, with a labelled continue out of a finally.
// Ends: call time
export const attack = () => {
  outer: do {
    try {
      throw 1;
    } finally {
      continue outer;
    }
  } while (true);
};
