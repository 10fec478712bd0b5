// Attack: an answer whose `then` calls back twice, late, and throws.
// Ends: call answered 1
export const attack = () => ({
  then(resolve, reject) {
    resolve(1);
    reject(new Error("second"));
    setTimeout(() => resolve(3), 0);
    throw new Error("third");
  },
});
