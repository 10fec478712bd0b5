// Work for the engine alone, with the answer that it has to give.

const RECORDS = 8_000;
const NUMBERS = 100_000;

function fibonacci(n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

export function cases() {
  const records = Array.from({ length: RECORDS }, (_, id) => ({
    id,
    name: `User Number ${id}`,
    email: `user${id}@example.com`,
    score: id * 1.5,
    tags: ["a", "b", "c"],
    ok: id % 2 === 0,
  }));
  const text = JSON.stringify(records);
  let seed = 12345;
  const numbers = Array.from({ length: NUMBERS }, () => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return seed;
  });
  return [
    { name: "fib(27)", answer: 196_418, work: () => fibonacci(27) },
    { name: "JSON.parse, 0.9 MB", answer: RECORDS, work: () => JSON.parse(text).length },
    {
      name: "JSON.stringify, 0.9 MB",
      answer: text.length,
      work: () => JSON.stringify(records).length,
    },
    {
      name: "sort of 100,000",
      answer: numbers.reduce((least, number) => Math.min(least, number)),
      work: () => [...numbers].sort((a, b) => a - b)[0],
    },
    {
      name: "map, filter, reduce of 96,000",
      answer: 12 * 1.5 * (RECORDS / 2) * (RECORDS / 2 - 1),
      work: () => {
        let sum = 0;
        for (let round = 0; round < 12; ++round)
          sum += records
            .map((record) => ({ ...record, round }))
            .filter((record) => record.ok)
            .reduce((all, record) => all + record.score, 0);
        return sum;
      },
    },
    {
      name: "100,000 pieces of a string",
      answer: NUMBERS + 1,
      work: () => {
        let pieces = "";
        for (let i = 0; i < NUMBERS; ++i) pieces += `${i.toString(36)},`;
        return pieces.split(",").length;
      },
    },
  ];
}
