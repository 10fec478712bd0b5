// Attack: what there is of Intl, with locales that are none.
// Ends: call answered "done"
export const attack = () => {
  for (const locales of ["x".repeat(1e6), ["en", "\0"], { length: 1e6 }, null, 1n]) {
    for (const use of [
      () => (1e21).toLocaleString(locales),
      () => new Date(0).toLocaleDateString(locales),
      () => "a".localeCompare("b", locales),
      () => new Intl.NumberFormat(locales).format(1),
    ]) {
      try {
        use();
      } catch {}
    }
  }
  return "done";
};
