// Attack: properties of one object without end.
// Limits: heapBytesMax=16000000
// Ends: call memory
export const attack = () => {
  const object = {};
  for (let i = 0; ; ++i) object["property" + i] = i;
};
