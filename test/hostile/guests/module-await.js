// Attack: module scope that waits for ever.
// Ends: load pending
await new Promise(() => {});
