// Attack: Reflect.apply and Reflect.construct of themselves.
// Ends: call answered [true,true]
const overflows = (use) => {
  try {
    use();
    return false;
  } catch (error) {
    return /stack/.test(error.message);
  }
};
export const attack = () => {
  const apply = () => Reflect.apply(apply, null, []);
  function Make() {
    Reflect.construct(Make, []);
  }
  return [apply, () => Reflect.construct(Make, [])].map(overflows);
};
