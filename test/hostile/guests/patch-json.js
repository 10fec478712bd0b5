// Attack: JSON, Map and String.prototype.* answer forgeries while the driver works in JSON.
// Ends: call answered true
export const attack = () => {
  JSON.parse = () => ({ rows: [["forged"]] });
  JSON.stringify = () => "forged";
  Map.prototype.get = () => "forged";
  for (const name of Object.getOwnPropertyNames(String.prototype))
    if (name !== "constructor" && typeof String.prototype[name] === "function")
      String.prototype[name] = () => "forged";
  const answer = __host_sqlite_call('{"method":"get","sql":"select 42"}');
  return answer === '{"rows":[42],"changes":0,"lastInsertRowid":0}';
};
