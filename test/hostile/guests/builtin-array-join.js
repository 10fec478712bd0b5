// Attack: joins a list of thirty million holes.
// Ends: call time
// Ends: call threw
export const attack = () => new Array(3e7).join("x").length;
