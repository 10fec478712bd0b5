// Attack: listeners that dispatch the event that they listen for.
// Ends: call time
// Ends: call threw
// Ends: call memory
export const attack = () => {
  const target = new EventTarget();
  target.addEventListener("again", () => target.dispatchEvent(new Event("again")));
  target.dispatchEvent(new Event("again"));
  const signals = [AbortSignal.abort()];
  for (;;) signals.push(AbortSignal.any(signals));
};
