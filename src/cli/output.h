// The program's standard output: the script's own, or what a command answers.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace schemascript {

// Collects what is written and hands it to `file`. For a terminal line by line; otherwise when
// there is enough of it, at flush(), and at the end. Belongs to one thread at a time.
class Output {
 public:
  // Does not own `file`.
  explicit Output(int file);
  // What flush() could not write is lost, so call it before.
  ~Output() = default;
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // Throws Unavailable when nothing more can be written, because the disk is full or nobody reads:
  // see isClosed().
  void write(std::string_view text);
  void flush();

  // True after a write that failed because the reader has gone, as `| head` does when it has
  // enough.
  bool isClosed() const noexcept { return closed_; }

 private:
  const int file_;
  const bool flushLines_;
  bool closed_ = false;
  std::string waiting_;
};

// Writes to standard error, where nothing can be reported when it fails.
void writeToStandardError(std::string_view text) noexcept;

// Opens whichever of the three standard files is not open as /dev/null: a database must never get
// the number of one of them.
void openStandardFiles() noexcept;

}  // namespace schemascript
