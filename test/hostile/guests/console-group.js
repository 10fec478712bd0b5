// Attack: groups without end, each of which indents further.
// Ends: call time
// Ends: call memory
export const attack = () => {
  for (;;) {
    console.group();
    console.count("label".repeat(100));
    console.log("a\n".repeat(1000));
  }
};
