// Attack: throws a proxy that was revoked.
// Ends: call threw : Uncaught
export const attack = () => {
  const { proxy, revoke } = Proxy.revocable(class extends Error {}, {});
  revoke();
  throw proxy;
};
