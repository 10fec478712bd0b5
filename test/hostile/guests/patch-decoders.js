// Attack: shapes of rows that make no sense, with decoders that query, throw and change the shape.
// Ends: call answered "survived"
// Ends: call time
const host = __host_sqlite;
export const attack = () => {
  const shapes = [];
  for (let kind = -1; kind < 15; ++kind)
    shapes.push({
      columns: [
        { path: ["a"], kind },
        { path: ["b", "c"], kind, decoder: { mapFromDriverValue: (v) => v } },
      ],
    });
  shapes.push(
    { columns: [] },
    { columns: [{ path: [], kind: 0 }] },
    {
      columns: [
        { path: ["__proto__"], kind: 0 },
        { path: ["constructor", "prototype", "x"], kind: 0 },
      ],
    },
    { columns: { length: 1e9 } },
    { columns: [{ path: { length: 2 ** 31 }, kind: 0 }] },
    { columns: [{ path: ["a"], kind: 9, numbers: [1], names: [] }] },
    { columns: [{ path: new Array(10_000).fill("a"), kind: 0 }] },
    { columns: [{ path: ["a"], kind: 0 }], nullable: [{ node: -1, column: 2 ** 31 }] },
  );
  shapes.push({
    columns: [
      {
        path: ["a"],
        kind: 10,
        decoder: {
          mapFromDriverValue() {
            host.values(host.statement("select 1"), [], 0);
            throw new Error("decoder");
          },
        },
      },
      {
        path: ["b"],
        kind: 10,
        decoder: {
          get mapFromDriverValue() {
            throw new Error("getter");
          },
        },
      },
    ],
  });
  const deep = {
    columns: [
      {
        path: ["a"],
        kind: 10,
        decoder: { mapFromDriverValue: () => host.all(host.statement("select 1", deep), [], 0) },
      },
    ],
  };
  shapes.push(deep);
  for (const shape of shapes) {
    for (const sql of [
      "select 1",
      "select 1, 2",
      "select 'x', x'00'",
      "select null, null",
      "select 1.5, 9223372036854775807",
      "values (1, 2), (3, 4)",
      "select '{\"a\":', 1e999",
    ]) {
      try {
        const statement = host.statement(sql, shape);
        host.all(statement, [], 0);
        host.get(statement, [], 0);
        host.iterate(statement, [], 0);
      } catch {}
    }
  }
  return "survived";
};
