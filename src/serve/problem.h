// What went wrong with an app or in it, for people who have its sources: told on a terminal, and on
// the pages of a development server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace schemascript {

// A place in a source file, and what stands around it.
struct SourcePlace {
  std::string file{};  // As people are to read it: `src/app.ts`.
  std::uint32_t line = 0;
  std::uint32_t column = 0;  // From 1, in UTF-16 units.
  // The lines from `firstLine` on; empty when the file cannot be read any more.
  std::uint32_t firstLine = 0;
  std::vector<std::string> lines{};
  std::size_t caretBytes = 0;  // Where the column is in the line that is meant.
};

// One thing that went wrong.
struct Problem {
  std::string headline{};  // `TypeError: x is not a function`
  std::optional<SourcePlace> place{};
  std::vector<std::string> frames{};  // `at f (app.ts:3:5)`
  std::string advice{};               // What to do about it.
  std::vector<Problem> errors{};      // Of an AggregateError.
  std::vector<Problem> causes{};      // At most one.
};

}  // namespace schemascript
