// Attack: module scope that never ends.
// Ends: load time
for (;;);
