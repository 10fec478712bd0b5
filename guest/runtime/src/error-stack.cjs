// Stands in for `error.stack` inside of node-inspect-extracted (build.mjs puts it there), which
// expects V8's form: QuickJS's stack has the frames only, without the line "name: message" in front
// of them.
"use strict";

const errorToString = Error.prototype.toString;

exports.errorStack = (error) => {
  const stack = error.stack;
  if (typeof stack !== "string" || !/^(?: {4}at |$)/.test(stack)) return stack;
  let header;
  try {
    header = errorToString.call(error);
  } catch {
    header = "Error";
  }
  return stack === "" ? header : `${header}\n${stack.trimEnd()}`;
};

// index.ts gives it what the C++ glue has; without it every promise prints as pending.
exports.promiseState = () => [0, undefined];
