// Attack: imports what is not there, and itself.
// Ends: load threw
import fs from "node:fs";
export const attack = () => fs;
