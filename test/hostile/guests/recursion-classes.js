// Attack: static blocks, fields and super() that make the class again.
// Ends: call answered [true,true,true]
const overflows = (use) => {
  try {
    use();
    return false;
  } catch (error) {
    return /stack/.test(error.message);
  }
};
export const attack = () => {
  const inBlock = () =>
    class {
      static {
        inBlock();
      }
    };
  class Field {
    field = new Field();
  }
  const derive = (n) =>
    class extends (n === 0 ? Object : derive(n - 1)) {
      constructor() {
        super();
      }
    };
  return [inBlock, () => new Field(), () => new (derive(20_000))()].map(overflows);
};
