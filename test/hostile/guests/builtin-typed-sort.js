// Attack: a comparator that takes the buffer away from what is sorted.
// Ends: call answered "done"
export const attack = () => {
  for (const Kind of [Int8Array, Float64Array, BigUint64Array]) {
    const array = new Kind(1000);
    try {
      array.sort(() => {
        if (array.buffer.byteLength) structuredClone(array.buffer, { transfer: [array.buffer] });
        return 1;
      });
    } catch {}
    try {
      const other = new Kind(new ArrayBuffer(8000, { maxByteLength: 80_000 }));
      other.sort(() => {
        other.buffer.resize(8);
        return -1;
      });
    } catch {}
    try {
      const third = new Kind(1000);
      third.set({
        length: 1000,
        get 5() {
          structuredClone(third.buffer, { transfer: [third.buffer] });
          return third[0];
        },
      });
    } catch {}
    try {
      const fourth = new Kind(1000);
      fourth.fill({
        valueOf() {
          structuredClone(fourth.buffer, { transfer: [fourth.buffer] });
          return 1;
        },
      });
    } catch {}
    try {
      const fifth = new Kind(1000);
      fifth.constructor = {
        get [Symbol.species]() {
          structuredClone(fifth.buffer, { transfer: [fifth.buffer] });
          return Kind;
        },
      };
      fifth.slice(0, 900).subarray(1, 2);
    } catch {}
    try {
      const sixth = new Kind(1000);
      sixth.copyWithin(
        0,
        {
          valueOf() {
            structuredClone(sixth.buffer, { transfer: [sixth.buffer] });
            return 5;
          },
        },
        900,
      );
    } catch {}
    try {
      const seventh = new Kind(1000);
      Atomics.add(seventh, 0, {
        valueOf() {
          structuredClone(seventh.buffer, { transfer: [seventh.buffer] });
          return 5;
        },
      });
    } catch {}
  }
  const view = new DataView(new ArrayBuffer(8));
  try {
    view.setFloat64(0, {
      valueOf() {
        structuredClone(view.buffer, { transfer: [view.buffer] });
        return 1;
      },
    });
  } catch {}
  return "done";
};
