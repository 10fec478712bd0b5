// How every side is measured, in the guest and in Node alike: in turns, so that all of them see the same moments of a machine that
// others use, too.

/**
 * Runs `rounds` rounds; in each, every side once, `repeat` times over. The first round is not counted. Answers what one repetition took in
 * each round, in microseconds.
 *
 * @param {Record<string, (count: number) => unknown>} sides each does its work `count` times, and may answer a promise
 * @param {{ rounds: number, repeat: number }} options
 * @returns {Promise<Record<string, number[]>>}
 */
export async function inTurns(sides, { rounds, repeat }) {
  const figures = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  for (let round = -1; round < rounds; ++round) {
    for (const [name, work] of Object.entries(sides)) {
      const begin = performance.now();
      await work(repeat);
      const micros = ((performance.now() - begin) * 1000) / repeat;
      if (round >= 0) figures[name].push(micros);
    }
  }
  return figures;
}

/** The ids that the point selects ask for: all over the table, and the same ones on every side. */
export const idOf = (index, count) => ((index * 7919) % count) + 1;
