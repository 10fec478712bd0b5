// Attack: module scope that fills its memory.
// Limits: heapBytesMax=16000000
// Ends: load memory
const all = [];
for (;;) all.push({});
