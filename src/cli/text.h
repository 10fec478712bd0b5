// Text of others made fit for a terminal, and excerpts of source files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace schemascript {

// `text` with everything that a terminal would obey, or that would make it show one thing and mean
// another, written as an escape: control characters other than newline and tab, bytes that are not
// UTF-8, and the characters that change the direction of writing.
std::string printable(std::string_view text);

// The same on one line: newlines and tabs are escapes, too.
std::string oneLine(std::string_view text);

// The beginning of `text` that a terminal shows in `columns` columns, with `...` at its end if that
// is not all of it. `text` comes from oneLine().
std::string cutToColumns(std::string_view text, std::size_t columns);

enum class Colours : bool { Off, On };

// Only for a terminal, and not when NO_COLOR is set to something.
Colours coloursFor(int file) noexcept;

// Colours by meaning. With Colours::Off the text itself.
class Paint {
 public:
  explicit Paint(Colours colours) noexcept : colours_(colours) {}
  std::string error(std::string_view text) const { return wrap("\x1b[1;31m", text); }
  std::string quiet(std::string_view text) const { return wrap("\x1b[2m", text); }

 private:
  std::string wrap(std::string_view begin, std::string_view text) const;

  Colours colours_;
};

// The number of UTF-16 units in the first `bytes` bytes of `text`.
std::uint32_t utf16Units(std::string_view text, std::size_t bytes) noexcept;

// Line `number` (from 1) of `text`, without its end; empty when there are fewer. A part of `text`.
std::string_view lineOf(std::string_view text, std::uint32_t number) noexcept;

// A place in a file and the lines around it. Made harmless as by printable(), and cut: the line
// that is meant around the column, others at their end.
struct Excerpt {
  std::uint32_t firstLine = 0;
  std::vector<std::string> lines{};  // None when there is no such place.
  std::size_t caretBytes = 0;        // Where the column is in the line that is meant.
};
// Line `line` (from 1) and UTF-16 column `column` (from 1) of `file`, with up to `around` lines
// before and as many behind.
Excerpt readExcerpt(const std::string& file, std::uint32_t line, std::uint32_t column,
                    std::uint32_t around);

// A line of an excerpt with its number, and a caret under `caretBytes`. Ends with a newline.
std::string renderLine(std::uint32_t number, std::string_view line, std::size_t caretBytes,
                       const Paint& paint);

}  // namespace schemascript
