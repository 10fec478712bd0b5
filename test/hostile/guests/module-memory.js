// Attack: module scope that fills its memory.
// Limits: runTimeMax=5000 heapBytesMax=16000000
// Ends: load memory
const all = [];
for (;;) all.push({});
