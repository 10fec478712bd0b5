// How far something long has come, on one line of a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace schemascript {

// Writes only when its file is a terminal, and takes away what it wrote when it is destroyed. One
// thread.
class ProgressLine {
 public:
  using Clock = std::chrono::steady_clock;

  // `what` stands before the per cent. Does not own `file`.
  ProgressLine(int file, std::string_view what);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Shows the share at once the first time, then at most ten times a second.
  void show(std::uint64_t done, std::uint64_t whole, Clock::time_point now = Clock::now()) noexcept;

 private:
  void write(std::string_view text) noexcept;

  const int file_;
  const bool isTerminal_;
  const std::string what_;
  bool isShown_ = false;
  Clock::time_point shownAt_{};
};

}  // namespace schemascript
