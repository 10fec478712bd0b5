// How far something long has come, on one line of a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace schemascript {

// Writes only when its file is a terminal, and takes away what it wrote when it is destroyed. One
// thread.
class ProgressLine {
 public:
  using Clock = std::chrono::steady_clock;

  // Does not own `file`.
  explicit ProgressLine(int file);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Shows `what` at once the first time, then at most ten times a second: 79 bytes of it, which
  // are to be ASCII.
  void show(std::string_view what, Clock::time_point now = Clock::now()) noexcept;
  // `copying  33 %`
  void showShare(const char* what, std::uint64_t done, std::uint64_t whole,
                 Clock::time_point now = Clock::now()) noexcept;
  // Until it is shown anew, which it is at once: for other output.
  void hide() noexcept;

 private:
  void write(std::string_view text) noexcept;

  const int file_;
  const bool isTerminal_;
  bool isShown_ = false;
  Clock::time_point shownAt_{};
};

}  // namespace schemascript
