// Keeps pages of other sites from a development server on this machine. A site whose name leads to
// 127.0.0.1 the second time that it is asked for (DNS rebinding) is of one origin with what answers
// there, and its scripts could read it; but they cannot choose the Host field, which has its name.
#pragma once

#include <string_view>

namespace schemascript {

// Whether `host`, of a request's head, is a name that no other site has: `localhost` or below it,
// or an address; with a port or without. Empty, from HTTP/1.0, is none of a browser's and counts.
bool isLocalHost(std::string_view host) noexcept;

// Whether `address`, that a server listens on, is reached from this machine only.
bool isLoopback(std::string_view address) noexcept;

}  // namespace schemascript
