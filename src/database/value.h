// One SQLite value as it passes through the host: a view, never a copy.
#pragma once

#include <cstdint>
#include <string_view>

namespace schemascript {

enum class ValueKind : std::uint8_t { Null, Integer, Real, Text, Blob };

struct ValueView {
  static ValueView ofNull() noexcept { return {}; }
  static ValueView ofInteger(std::int64_t integer) noexcept {
    return {.kind = ValueKind::Integer, .integer = integer};
  }
  static ValueView ofReal(double real) noexcept { return {.kind = ValueKind::Real, .real = real}; }
  // `bytes` must outlive the use of this view. Text is taken by its byte count: NUL does not end
  // it.
  static ValueView ofText(std::string_view bytes) noexcept {
    return {.kind = ValueKind::Text, .bytes = bytes};
  }
  static ValueView ofBlob(std::string_view bytes) noexcept {
    return {.kind = ValueKind::Blob, .bytes = bytes};
  }

  // Which of the members counts.
  ValueKind kind = ValueKind::Null;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view bytes{};
};

}  // namespace schemascript
