// Attack: an error that looks as if the host had made it, of a limit and of a failure's kind.
// Ends: call threw LimitExceeded: the guest ran for longer
export const attack = () => {
  throw Object.assign(new Error('the guest ran for longer","kind":"stopped'), {
    name: "LimitExceeded",
    kind: "stopped",
    code: "internal",
    end: 2,
  });
};
