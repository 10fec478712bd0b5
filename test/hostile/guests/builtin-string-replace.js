// Attack: replacements of which each holds the whole text.
// Ends: call memory
// Ends: call threw
export const attack = () => "a".repeat(1e5).replaceAll("a", "$`$'$&");
