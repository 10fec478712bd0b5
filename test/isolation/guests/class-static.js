// Static and private fields.
class Keeper {
  static #kept;
  static shown;
  #own;
  static keep(value) {
    Keeper.#kept = value;
    Keeper.shown = value;
    one.#own = value;
  }
  static read() {
    return [Keeper.#kept, Keeper.shown, one.#own];
  }
}
const one = new Keeper();
export const first = (secret) => Keeper.keep(secret);
export const second = () => Keeper.read().filter((found) => found !== undefined);
