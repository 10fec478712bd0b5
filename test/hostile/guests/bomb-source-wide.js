// Attack: sources of megabytes, with as many names, strings and numbers.
// Limits: runTimeMax=700
// Ends: call time
// Ends: call memory
// Ends: call threw
export const attack = () => {
  for (let size = 1000; ; size *= 4) {
    (0, eval)(Array.from({ length: size }, (_, i) => `var v${i} = "${i}" + ${i}.5;`).join(""));
    new Function("return [" + "`a${1}`,".repeat(size) + "]")();
    new Function(
      ...Array.from({ length: Math.min(size, 60_000) }, (_, i) => "p" + i),
      "return 1",
    )();
    new Function(
      "switch(1){" + Array.from({ length: size }, (_, i) => `case ${i}:`).join("") + "}",
    )();
  }
};
