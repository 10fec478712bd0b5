// Base64 (RFC 4648, section 4), as the JSON form of the protocol carries blobs.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace schemascript {

// Appends the padded encoding of `bytes` to `out`.
void appendBase64(std::string& out, std::string_view bytes);

// The number of bytes that `text` encodes; nothing unless its length and padding are right.
std::optional<std::size_t> base64DecodedSize(std::string_view text) noexcept;

// Decodes into `out`, whose size must be base64DecodedSize(text). False when `text` has a character
// outside of the alphabet or bits that no encoder writes; `out` is then worthless.
bool decodeBase64(std::string_view text, std::span<char> out) noexcept;

}  // namespace schemascript
