// Attack: requests that are no requests: nested, long, with every wrong type.
// Ends: call answered []
export const attack = () => {
  const accepted = [];
  const texts = [
    "[".repeat(1e6),
    "{".repeat(1e6),
    '{"sql":'.repeat(1e5),
    '{"sql":"select 1","sql":"select 2","method":"all"}',
    '{"method":"all","sql":"select 1","params":' + "[".repeat(1e6),
    '{"method":"all","sql":"' + "\\".repeat(1e6),
    '{"method":"all","sql":"select ?","params":[{"$blob":"' + "A".repeat(1e6 + 1) + '"}]}',
    '{"method":"all","sql":"select ?","params":[{"$int":"' + "9".repeat(1e6) + '"}]}',
    '{"method":"all","sql":"select ?","params":[1e999]}',
    '{"method":"all","sql":"select ?","params":[' + "1".repeat(1e6) + "]}",
    '{"method":"all","sql":"select ?","params":[{"__proto__":1}]}',
    '{"method":"all","sql":"select \\ud800"}',
    '{"method":"all","sql":"select 1"}x',
    '{"method":"all","sql":"select 1\0; select 2"}',
    '{"method":"batch","steps":[{"method":"batch","steps":[]}]}',
    '{"method":"batch","steps":[{"method":"begin"}]}',
    '{"method":"push","sql":"create table t (x)"}',
    "\x01",
    "\x01\x03\0\0" + "\xff".repeat(20),
    "\ufeff{}",
    '{"method":"all","sql":"select ?","params":[' + '"x",'.repeat(1e5) + '"x"]}',
  ];
  for (const text of texts)
    if (!JSON.parse(__host_sqlite_call(text)).error) accepted.push(text.slice(0, 50));
  return accepted;
};
