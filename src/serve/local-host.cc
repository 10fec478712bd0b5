#include "serve/local-host.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>

#include "http/request-head.h"

namespace schemascript {
namespace {

// One of either kind, as bytes in the order of the network.
struct Address {
  std::array<unsigned char, 16> bytes{};
  bool isV6 = false;
};

std::optional<Address> tryParse(std::string_view text) noexcept {
  std::array<char, INET6_ADDRSTRLEN> ended{};
  if (text.size() >= ended.size()) return std::nullopt;
  std::ranges::copy(text, ended.begin());
  Address address;
  if (inet_pton(AF_INET, ended.data(), address.bytes.data()) == 1) return address;
  address.isV6 = true;
  if (inet_pton(AF_INET6, ended.data(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

bool endsWithName(std::string_view host, std::string_view name) noexcept {
  return host.size() >= name.size() &&
         equalsIgnoringCase(host.substr(host.size() - name.size()), name);
}

}  // namespace

bool isLocalHost(std::string_view host) noexcept {
  if (host.empty()) return true;
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    const auto address = tryParse(host.substr(1, std::min(end, host.size()) - 1));
    return end != host.npos && address && address->isV6;
  }
  host = host.substr(0, host.find(':'));
  if (host.ends_with('.')) host.remove_suffix(1);
  const auto address = tryParse(host);
  if (address) return !address->isV6;
  return equalsIgnoringCase(host, "localhost") || endsWithName(host, ".localhost");
}

bool isLoopback(std::string_view address) noexcept {
  const auto parsed = tryParse(address);
  if (!parsed) return false;
  const auto& bytes = parsed->bytes;
  if (!parsed->isV6) return bytes.front() == 127;
  return std::all_of(bytes.begin(), bytes.end() - 1,
                     [](unsigned char byte) { return byte == 0; }) &&
         bytes.back() == 1;
}

}  // namespace schemascript
