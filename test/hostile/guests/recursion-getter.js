// Attack: a getter that reads itself.
// Ends: call threw InternalError: stack overflow
// Ends: call threw RangeError: stack
const self = {
  get me() {
    return this.me;
  },
};
export const attack = () => self.me;
