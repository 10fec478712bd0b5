// Attack: module scope that overflows its stack.
// Ends: load threw
const down = () => down() + 1;
down();
