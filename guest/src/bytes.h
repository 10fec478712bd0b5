// Bytes between JavaScript and the glue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "js.h"

namespace schemascript::guest {

// The bytes of a Uint8Array. A view: valid until JavaScript runs again. False with an exception
// pending.
[[nodiscard]] bool bytesOf(JSContext* context, JSValueConst array, std::uint8_t*& first,
                           std::size_t& size);

// A copy of `bytes`, or an exception.
JSValue newUint8Array(JSContext* context, std::string_view bytes);

// The engine's UTF-8 with U+FFFD for each lone surrogate, which it writes as the three bytes
// ED A0..BF xx.
std::string toWellFormed(std::string_view text);

}  // namespace schemascript::guest
