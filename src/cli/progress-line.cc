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
constexpr std::size_t kBytesMax = 79;  // What fits into any window.

}  // namespace

ProgressLine::ProgressLine(int file) : file_(file), isTerminal_(::isatty(file) == 1) {}

ProgressLine::~ProgressLine() { hide(); }

void ProgressLine::show(std::string_view what, Clock::time_point now) noexcept {
  if (!isTerminal_ || (isShown_ && now - shownAt_ < kBetween)) return;
  std::array<char, kErase.size() + kBytesMax> line;
  char* const end =
      std::ranges::copy(what.substr(0, kBytesMax), std::ranges::copy(kErase, line.data()).out).out;
  write({line.data(), end});
  isShown_ = true;
  shownAt_ = now;
}

void ProgressLine::showShare(const char* what, std::uint64_t done, std::uint64_t whole,
                             Clock::time_point now) noexcept {
  const double share = whole == 0 ? 1 : static_cast<double>(done) / static_cast<double>(whole);
  std::array<char, kBytesMax + 1> line;
  const int size =
      std::snprintf(line.data(), line.size(), "%.60s %3d %%", what, static_cast<int>(share * 100));
  show({line.data(), static_cast<std::size_t>(size)}, now);
}

void ProgressLine::hide() noexcept {
  if (isShown_) write(kErase);
  isShown_ = false;
}

// What cannot be shown is not worth a failure.
void ProgressLine::write(std::string_view text) noexcept {
  [[maybe_unused]] const auto ignored = ::write(file_, text.data(), text.size());
}

}  // namespace schemascript
