// Attack: atob and btoa of long and of wrong texts.
// Limits: runTimeMax=1000
// Ends: call time
// Ends: call memory
// Ends: call threw
export const attack = () => atob(btoa("x".repeat(2e7)).replaceAll("e", " ")).length;
