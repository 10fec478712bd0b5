import { Schema } from "schemascript";

// The sample:
const Profile = Schema("profiles", (prop) => ({
  role: prop.enum("role", { options: ["admin", "user", "guest"] }).default("guest"),
}));
