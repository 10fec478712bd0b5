// Decoding of base64 VLQ, and the search in what was decoded.
#include "cli/source-map.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <limits>
#include <system_error>

#include "base/error.h"
#include "runtime/run.h"

namespace schemascript {
namespace {

// The value of a base64 digit; negative for other characters.
int digitOf(char character) noexcept {
  if (character >= 'A' && character <= 'Z') return character - 'A';
  if (character >= 'a' && character <= 'z') return character - 'a' + 26;
  if (character >= '0' && character <= '9') return character - '0' + 52;
  if (character == '+') return 62;
  return character == '/' ? 63 : -1;
}

// Takes one number off the front of `text`: five bits a digit, the least first, its sign last.
std::optional<std::int64_t> tryTakeNumber(std::string_view& text) noexcept {
  std::uint64_t bits = 0;
  for (unsigned shift = 0; shift <= 30 && !text.empty(); shift += 5) {
    const int digit = digitOf(text.front());
    if (digit < 0) return std::nullopt;
    text.remove_prefix(1);
    bits |= static_cast<std::uint64_t>(digit & 31) << shift;
    if ((digit & 32) == 0) {
      const auto magnitude = static_cast<std::int64_t>(bits >> 1);
      return (bits & 1) != 0 ? -magnitude : magnitude;
    }
  }
  return std::nullopt;
}

// A running total of the differences that a map holds.
class Total {
 public:
  // False when the total leaves the range of positions.
  [[nodiscard]] bool add(std::int64_t difference) noexcept {
    value_ += difference;
    return value_ >= 0 && value_ <= std::numeric_limits<std::int32_t>::max();
  }
  void reset() noexcept { value_ = 0; }
  std::uint32_t get() const noexcept { return static_cast<std::uint32_t>(value_); }

 private:
  std::int64_t value_ = 0;
};

// Takes `:NUMBER` off the front of `text`.
std::optional<std::uint32_t> tryTakeCoordinate(std::string_view& text) noexcept {
  if (text.empty() || text.front() != ':') return std::nullopt;
  std::uint32_t number = 0;
  const auto [rest, failure] = std::from_chars(text.data() + 1, text.data() + text.size(), number);
  if (failure != std::errc{} || number == 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
  return number;
}

}  // namespace

std::string displayPath(std::string_view absolutePath) {
  const std::filesystem::path path(absolutePath);
  std::error_code failure;
  const auto here = std::filesystem::current_path(failure);
  if (failure) return std::string(absolutePath);
  std::string relative = path.lexically_relative(here).string();
  return relative.empty() || relative.size() > absolutePath.size() ? std::string(absolutePath)
                                                                   : relative;
}

bool SourceMap::mentionsBundle(std::string_view text) noexcept {
  return ::memmem(text.data(), text.size(), kBundleName.data(), kBundleName.size()) != nullptr;
}

void SourceMap::decode() {
  decoded_ = true;
  std::string_view rest = text_.mappings;
  Total bundleColumn, source, line, column;
  lineStarts_.push_back(0);
  while (!rest.empty()) {
    if (rest.front() == ';') {
      bundleColumn.reset();
      lineStarts_.push_back(segments_.size());
    }
    if (rest.front() == ';' || rest.front() == ',') {
      rest.remove_prefix(1);
      continue;
    }
    // One number, or four, or five: column in the bundle; source, line and column there; a name.
    std::int64_t numbers[5];
    std::size_t count = 0;
    while (!rest.empty() && rest.front() != ',' && rest.front() != ';') {
      const auto number = tryTakeNumber(rest);
      if (!number || count == std::size(numbers)) return;
      numbers[count++] = *number;
    }
    if (!bundleColumn.add(numbers[0])) return;
    if (count < 4) {
      segments_.push_back({bundleColumn.get(), -1, 0, 0});
      continue;
    }
    if (!source.add(numbers[1]) || !line.add(numbers[2]) || !column.add(numbers[3])) return;
    if (source.get() >= text_.sources.size()) return;
    segments_.push_back(
        {bundleColumn.get(), static_cast<std::int32_t>(source.get()), line.get(), column.get()});
  }
}

std::optional<SourcePosition> SourceMap::tryFind(std::uint32_t line, std::uint32_t column) {
  if (!decoded_) decode();
  if (line == 0 || column == 0 || line > lineStarts_.size()) return std::nullopt;
  const auto first = segments_.begin() + static_cast<std::ptrdiff_t>(lineStarts_[line - 1]);
  const auto last = line == lineStarts_.size()
                        ? segments_.end()
                        : segments_.begin() + static_cast<std::ptrdiff_t>(lineStarts_[line]);
  const auto next = std::upper_bound(
      first, last, column - 1,
      [](std::uint32_t wanted, const Segment& segment) { return wanted < segment.bundleColumn; });
  if (next == first || std::prev(next)->source < 0) return std::nullopt;
  const Segment& found = *std::prev(next);
  return SourcePosition{text_.sources[static_cast<std::size_t>(found.source)], found.line + 1,
                        found.column + 1};
}

std::string SourceMap::mapPositions(std::string_view text) {
  std::string mapped;
  while (!text.empty()) {
    const std::size_t begin = text.find(kBundleName);
    mapped += text.substr(0, begin);
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin + kBundleName.size());
    std::string_view rest = text;
    const auto line = tryTakeCoordinate(rest);
    const auto column = line ? tryTakeCoordinate(rest) : std::nullopt;
    const auto position = column ? tryFind(*line, *column) : std::nullopt;
    if (!position) {
      mapped += kBundleName;
      continue;
    }
    mapped += str(displayPath(position->file), ':', position->line, ':', position->column);
    text = rest;
  }
  return mapped;
}

}  // namespace schemascript
