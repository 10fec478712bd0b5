#include "cli/progress-line.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

namespace schemascript {
namespace {

constexpr std::chrono::milliseconds kBetween{100};
// Back to the line's begin, and all behind it away: ECMA-48, 8.3.41.
constexpr std::string_view kErase = "\r\x1b[K";

}  // namespace

ProgressLine::ProgressLine(int file, std::string_view what)
    : file_(file), isTerminal_(::isatty(file) == 1), what_(what) {}

ProgressLine::~ProgressLine() {
  if (isShown_) write(kErase);
}

void ProgressLine::show(std::uint64_t done, std::uint64_t whole, Clock::time_point now) noexcept {
  if (!isTerminal_ || (isShown_ && now - shownAt_ < kBetween)) return;
  const double share = whole == 0 ? 1 : static_cast<double>(done) / static_cast<double>(whole);
  std::array<char, 128> line;
  const int size = std::snprintf(line.data(), line.size(), "\r\x1b[K%.100s %3d %%", what_.c_str(),
                                 static_cast<int>(share * 100));
  write({line.data(), std::min(static_cast<std::size_t>(size), line.size() - 1)});
  isShown_ = true;
  shownAt_ = now;
}

// What cannot be shown is not worth a failure.
void ProgressLine::write(std::string_view text) noexcept {
  [[maybe_unused]] const auto ignored = ::write(file_, text.data(), text.size());
}

}  // namespace schemascript
