// What became of each entry that the driver has sent, so that the database can be held against it at the end.

/** What the database has to hold of an entry. */
export const Fate = {
  /** It was never sent. */
  Unused: 0,
  /** There was no answer: it is there once, or not. */
  Unknown: 1,
  /** Its answer was 2xx: it is there once. */
  Acknowledged: 2,
  /** It was refused or rolled back: it is not there. */
  Absent: 3,
};

/** Of one database. Numbers begin at 1. */
export class Journal {
  #fates = new Uint8Array(1024);
  #last = 0;

  constructor(name) {
    this.name = name;
  }

  /** A number that no entry has had. Unknown until it is set otherwise. */
  next() {
    if (++this.#last >= this.#fates.length) {
      const grown = new Uint8Array(this.#fates.length * 2);
      grown.set(this.#fates);
      this.#fates = grown;
    }
    this.#fates[this.#last] = Fate.Unknown;
    return this.#last;
  }

  set(number, fate) {
    this.#fates[number] = fate;
  }

  get(number) {
    return this.#fates[number] ?? Fate.Unused;
  }

  /** An entry and what is known of it, found by a number from 0 to 1; undefined as long as there is none. */
  pick(random) {
    return this.#last === 0 ? undefined : 1 + Math.floor(random * this.#last);
  }

  count(fate) {
    let count = 0;
    for (let number = 1; number <= this.#last; ++number) if (this.#fates[number] === fate) ++count;
    return count;
  }

  /** Sentences about what is not as it has to be. `found`: what check.ts prints. */
  faults({ integrity, rows, counted, ranges, twice, wrong }) {
    const faults = [];
    const list = (numbers, what) => {
      if (numbers.length === 0) return;
      const some = numbers.slice(0, 5).join(", ");
      faults.push(`${this.name}: ${numbers.length} entries ${what}: ${some}`);
    };
    if (integrity !== "ok") faults.push(`${this.name}: integrity_check says ${integrity}`);
    if (rows !== counted)
      faults.push(`${this.name}: ${rows} entries and a total of ${counted}: half a transaction`);
    list(twice, "are there twice");
    list(wrong, "hold something else");

    const isThere = new Uint8Array(this.#last + 1);
    const unsent = [];
    for (const [first, last] of ranges) {
      for (let number = first; number <= last; ++number) {
        if (number > 0 && number <= this.#last) isThere[number] = 1;
        else unsent.push(number);
      }
    }
    const lost = [];
    const undead = [];
    for (let number = 1; number <= this.#last; ++number) {
      if (this.#fates[number] === Fate.Acknowledged && !isThere[number]) lost.push(number);
      if (this.#fates[number] === Fate.Absent && isThere[number]) undead.push(number);
    }
    list(unsent, "were never sent");
    list(lost, "were acknowledged and are lost");
    list(undead, "were refused or rolled back and are there");
    return faults;
  }
}
