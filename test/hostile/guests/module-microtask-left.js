// Attack: module scope that leaves microtasks and promises that throw later.
// Ends: load threw Error: left
Promise.resolve().then(() => Promise.reject(new Error("left")));
