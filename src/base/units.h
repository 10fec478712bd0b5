// Durations and sizes as people write them: `200ms`, `2s`, `1m`; `512kb`, `32mb`, `1gb`.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace schemascript {

// A whole number and one of `ms`, `s`, `m`. Throws InvalidRequest that shows the text and the
// forms.
std::chrono::milliseconds parseDuration(std::string_view text);
// The shortest exact form, which parseDuration reads.
std::string formatDuration(std::chrono::milliseconds duration);

// A whole number and one of `b`, `kb`, `mb`, `gb`, each 1024 of the one before. Throws
// InvalidRequest that shows the text and the forms.
std::uint64_t parseSize(std::string_view text);
// The shortest exact form, which parseSize reads.
std::string formatSize(std::uint64_t bytes);
// For people: `0.5kb`, `12.3mb`, one digit behind the point. parseSize does not read it.
std::string formatRoughSize(std::uint64_t bytes);

}  // namespace schemascript
