// UTF-8 as the Encoding Standard wants it: what is malformed becomes U+FFFD, one for each maximal
// subpart.
#pragma once

#include <string>
#include <string_view>

namespace schemascript::guest {

bool isUtf8(std::string_view bytes) noexcept;
// A copy in which every malformed subpart is U+FFFD.
// https://encoding.spec.whatwg.org/#utf-8-decoder
std::string toValidUtf8(std::string_view bytes);
// A JSON string of it, with its quotes.
std::string quoteJson(std::string_view text);

}  // namespace schemascript::guest
