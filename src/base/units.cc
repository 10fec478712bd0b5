// Durations and sizes as people write them.
#include "base/units.h"

#include <array>
#include <charconv>
#include <iomanip>
#include <limits>
#include <optional>
#include <span>

#include "base/error.h"

namespace schemascript {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// From small to large.
constexpr std::array<Unit, 3> kDurationUnits{{{"ms", 1}, {"s", 1'000}, {"m", 60'000}}};
constexpr std::array<Unit, 4> kSizeUnits{
    {{"b", 1}, {"kb", 1ull << 10}, {"mb", 1ull << 20}, {"gb", 1ull << 30}}};

// Nothing unless the whole text is a number with a unit and the product is at most `largest`.
std::optional<std::uint64_t> tryParse(std::string_view text, std::span<const Unit> units,
                                      std::uint64_t largest) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, number);
  if (failure != std::errc{}) return std::nullopt;
  const std::string_view name(rest, static_cast<std::size_t>(end - rest));
  for (const Unit& unit : units) {
    if (name != unit.name) continue;
    if (number > largest / unit.factor) return std::nullopt;
    return number * unit.factor;
  }
  return std::nullopt;
}

std::string format(std::uint64_t amount, std::span<const Unit> units) {
  const Unit* best = &units.front();
  for (const Unit& unit : units) {
    if (amount != 0 && amount % unit.factor == 0) best = &unit;
  }
  return str(amount / best->factor, best->name);
}

}  // namespace

std::chrono::milliseconds parseDuration(std::string_view text) {
  // A year is far beyond every use, and far below where arithmetic on clocks could overflow.
  constexpr std::uint64_t kLargest = 366ull * 24 * 60 * 60'000;
  const auto amount = tryParse(text, kDurationUnits, kLargest);
  if (!amount) {
    throw invalidRequest(str("\"", text,
                             "\" is not a duration; write a whole number with its unit, such as "
                             "200ms, 2s or 1m"));
  }
  return std::chrono::milliseconds(static_cast<std::int64_t>(*amount));
}

std::string formatDuration(std::chrono::milliseconds duration) {
  return format(static_cast<std::uint64_t>(duration.count()), kDurationUnits);
}

std::uint64_t parseSize(std::string_view text) {
  const auto amount = tryParse(text, kSizeUnits, std::numeric_limits<std::int64_t>::max());
  if (!amount) {
    throw invalidRequest(str("\"", text,
                             "\" is not a size; write a whole number with its unit, such as 512kb, "
                             "32mb or 1gb"));
  }
  return *amount;
}

std::string formatSize(std::uint64_t bytes) { return format(bytes, kSizeUnits); }

std::string formatRoughSize(std::uint64_t bytes) {
  const Unit* best = &kSizeUnits[1];
  for (const Unit& unit : kSizeUnits) {
    if (bytes >= unit.factor && unit.factor > best->factor) best = &unit;
  }
  const double amount = static_cast<double>(bytes) / static_cast<double>(best->factor);
  return str(std::fixed, std::setprecision(1), amount, best->name);
}

}  // namespace schemascript
