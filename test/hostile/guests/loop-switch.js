// Attack: a labelled continue out of a switch.
// Ends: call time
export const attack = () => {
  again: for (;;) {
    switch (1) {
      case 1:
        continue again;
    }
  }
};
