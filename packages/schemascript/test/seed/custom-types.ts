import { Schema } from "schemascript";

interface MyType {
  readonly x: number;
}

// The sample:
const Custom = Schema("custom", (prop) => ({
  data: prop.custom<MyType>("my_custom_type"),
}));
