// The program's standard output: the script's own, or what a command answers.
#pragma once

#include <string_view>

#include "base/error.h"

namespace schemascript {

// Hands each text to the system at once: what a script has printed is there for whoever watches, in
// order with standard error, and also after kill -9. (A write costs about as much as the
// console.log() that led to it.)
class Output {
 public:
  // Does not own `file`.
  explicit Output(int file) noexcept : file_(file) {}

  // Throws Unavailable when that cannot be written, because the disk is full or nobody reads: see
  // isClosed().
  void write(std::string_view text);

  // True after a write that failed because the reader has gone, as `| head` does when it has
  // enough.
  bool isClosed() const noexcept { return closed_; }

 private:
  const int file_;
  bool closed_ = false;
};

// Writes to standard error, where nothing can be reported when it fails.
void writeToStandardError(std::string_view text) noexcept;

// Opens whichever of the three standard files is not open as /dev/null: a database must never get
// the number of one of them.
void openStandardFiles() noexcept;

}  // namespace schemascript
