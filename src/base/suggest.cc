// Edit distances over a few words.
#include "base/suggest.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace schemascript {
namespace {

// A longer word is no slip of the hand, and would only cost time.
constexpr std::size_t kWordBytesMax = 64;

// The optimal string alignment distance: two neighbours that were swapped count as one mistake.
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> beforeLast(to.size() + 1);
  std::vector<std::size_t> last(to.size() + 1);
  std::vector<std::size_t> row(to.size() + 1);
  for (std::size_t j = 0; j <= to.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    std::swap(beforeLast, last);
    std::swap(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
      if (swapped) row[j] = std::min(row[j], beforeLast[j - 2] + 1);
    }
  }
  return row[to.size()];
}

}  // namespace

std::optional<std::string_view> tryFindNearest(std::string_view word,
                                               std::span<const std::string_view> known) {
  if (word.size() > kWordBytesMax) return std::nullopt;
  std::optional<std::string_view> nearest;
  std::size_t least = 0;
  for (const std::string_view candidate : known) {
    const std::size_t mistakes = distance(word, candidate);
    // Beyond a third of its letters it is another word.
    if (mistakes > std::max<std::size_t>(1, candidate.size() / 3)) continue;
    if (nearest && mistakes >= least) continue;
    nearest = candidate;
    least = mistakes;
  }
  return nearest;
}

}  // namespace schemascript
