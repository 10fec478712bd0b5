// Attack: sources of a hundred thousand brackets of each kind.
// Ends: call answered []
const ways = {
  parentheses: (n) => "(".repeat(n) + ")".repeat(n),
  lists: (n) => "[".repeat(n) + "]".repeat(n),
  objects: (n) => "({a:".repeat(n) + "1" + "})".repeat(n),
  blocks: (n) => "{".repeat(n) + "}".repeat(n),
  functions: (n) => "(function(){".repeat(n) + "})".repeat(n),
  arrows: (n) => "()=>".repeat(n) + "1",
  templates: (n) => "`${".repeat(n) + "}`".repeat(n),
  unary: (n) => "!".repeat(n) + "1",
  powers: (n) => "1**".repeat(n) + "1",
  assignments: (n) => "a=".repeat(n) + "1",
  conditions: (n) => "1?".repeat(n) + "1" + ":1".repeat(n),
  classes: (n) => "class A{static{".repeat(n) + "}}".repeat(n),
  ifs: (n) => "if(1)".repeat(n) + ";",
  labels: (n) => Array.from({ length: n }, (_, i) => `l${i}:`).join("") + ";",
  patterns: (n) => "let " + "[".repeat(n) + "a" + "]".repeat(n) + "=1",
  news: (n) => "new ".repeat(n) + "A",
};
export const attack = () => {
  const accepted = [];
  for (const [name, make] of Object.entries(ways)) {
    try {
      new Function(make(20_000));
      accepted.push(name);
    } catch {}
  }
  return accepted.filter(
    (name) => !["unary", "powers", "conditions", "assignments", "ifs", "labels"].includes(name),
  );
};
