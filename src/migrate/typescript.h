// TypeScript as text: names and texts of others, written so that nothing in them becomes code.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace schemascript {

// `"it's"`: a string of exactly these characters. What is invisible, or changes the direction of
// writing, is an escape. `text` is UTF-8.
std::string stringLiteral(std::string_view text);

// `` `SELECT 1` ``: the same as a template, in which lines stay lines.
std::string templateLiteral(std::string_view text);

// Names for what has names of any kind: `order details` -> `orderDetails`. Each is a valid
// identifier, and no two that were given are the same.
class Identifiers {
 public:
  enum class Of : std::uint8_t {
    Tables,   // Variables of a module that imports what a schema needs.
    Columns,  // Keys of an object of columns.
  };
  explicit Identifiers(Of of);

  std::string nameFor(std::string_view text);

 private:
  const Of of_;
  std::set<std::string> taken_;
};

}  // namespace schemascript
