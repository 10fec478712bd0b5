// Attack: errors whose causes never end, made by a getter; and a circle of them.
// Ends: call threw Endless
class Endless extends Error {
  name = "Endless";
  get cause() {
    return new Endless();
  }
}
export const attack = () => {
  throw new AggregateError([new Endless(), new Endless()], "all", { cause: new Endless() })
    .errors[0];
};
