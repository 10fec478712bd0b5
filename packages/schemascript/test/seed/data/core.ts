// The samples were written inside of a project that had the language in this place.
export * from "schemascript";
