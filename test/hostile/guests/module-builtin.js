// Attack: module scope in a built-in function that never looks at the clock.
// Ends: load time
Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);
