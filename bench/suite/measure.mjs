// Times one piece of work inside of a contender, whatever its engine.

/** Milliseconds of work that are timed for each figure, and that go before without being counted: compilers need them. */
const TIMED = 400;
const WARM = 250;
/** Of one batch, whose length is found first. A clock of whole milliseconds needs longer ones. */
const BATCH = { fine: 20, coarse: 80 };

export const median = (numbers) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

/**
 * Microseconds of one `work(i)`: the median over batches; of a coarse clock the mean of all.
 *
 * @param {{ now: () => number, coarse?: boolean, async?: boolean }} clock `async`: what `work` answers is awaited.
 * @param {(i: number) => unknown} work
 * @param {{ timesMax?: number, batch?: number, warm?: number }} [options] `batch`: how often in one; 0: as often as fits.
 */
export async function microsecondsOf(clock, work, options = {}) {
  const { timesMax = 100_000, warm = WARM } = options;
  let i = 0;
  // A loop of its own where nothing is awaited: awaiting what is no promise would cost more than the work.
  const repeat = clock.async
    ? async (times) => {
        for (let time = 0; time < times; ++time) await work(i++);
      }
    : (times) => {
        for (let time = 0; time < times; ++time) work(i++);
      };
  const lasting = async (milliseconds, times, most) => {
    const begin = clock.now();
    let done = 0;
    while (clock.now() - begin < milliseconds && done < most) {
      const step = repeat(times);
      if (clock.async) await step;
      done += times;
    }
    return done;
  };
  const batch =
    options.batch ??
    Math.max(1, await lasting(BATCH[clock.coarse ? "coarse" : "fine"], 8, timesMax));
  await lasting(warm, Math.min(batch, 64), timesMax);
  const figures = [];
  let whole = 0;
  let done = 0;
  while (whole < TIMED && done < timesMax) {
    const begin = clock.now();
    const step = repeat(batch);
    if (clock.async) await step;
    const took = clock.now() - begin;
    figures.push((took * 1000) / batch);
    whole += took;
    done += batch;
  }
  return clock.coarse ? (whole * 1000) / done : median(figures);
}
