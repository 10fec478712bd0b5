// "did you mean": the known word that a mistyped one was probably meant to be.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace schemascript {

// The nearest of `known`, counting inserted, missing, wrong and swapped characters; nothing when
// all are too far to be meant. The view is one of `known`.
std::optional<std::string_view> tryFindNearest(std::string_view word,
                                               std::span<const std::string_view> known);

}  // namespace schemascript
