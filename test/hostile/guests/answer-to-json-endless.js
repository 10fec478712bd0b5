// Attack: toJSON that answers another one, each deeper.
// Ends: call threw
// Ends: call time
// Ends: call memory
const more = () => ({ more: { toJSON: more } });
export const attack = more;
