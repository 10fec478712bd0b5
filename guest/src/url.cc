#include "url.h"

#include <algorithm>

namespace schemascript::guest {
namespace {

// Four numbers up to 255, without leading zeros.
bool isAddress(std::string_view host) {
  int parts = 0;
  for (;;) {
    const std::size_t dot = host.find('.');
    const std::string_view part = host.substr(0, dot);
    if (part.empty() || part.size() > 3 || (part.size() > 1 && part.front() == '0') ||
        !std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; }) ||
        (part.size() == 3 && part > "255")) {
      return false;
    }
    ++parts;
    if (dot == std::string_view::npos) return parts == 4;
    host.remove_prefix(dot + 1);
  }
}

// A host name of plain lower-case labels whose last one is no number, or an address; and a port
// that is not the default.
bool isNormalAuthority(std::string_view authority, std::string_view defaultPort) {
  const std::size_t colon = authority.find(':');
  const std::string_view host = authority.substr(0, colon);
  if (colon != std::string_view::npos) {
    const std::string_view port = authority.substr(colon + 1);
    if (port.empty() || port.size() > 5 || port.front() == '0' || port == defaultPort ||
        !std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; }) ||
        (port.size() == 5 && port > "65535")) {
      return false;
    }
  }
  if (isAddress(host)) return true;
  if (host.empty() || host.find("xn--") != std::string_view::npos || host.front() == '.' ||
      host.back() == '.' || host.find("..") != std::string_view::npos) {
    return false;
  }
  const std::size_t lastDot = host.rfind('.');
  const std::string_view last = lastDot == std::string_view::npos ? host : host.substr(lastDot + 1);
  if (last.front() < 'a' || last.front() > 'z') return false;
  return std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
}

bool isUrlCharacter(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("_-.~!$&()*+,;=:@/%").find(c) != std::string_view::npos;
}

// Neither dot segments, written out or escaped, nor characters that would be escaped.
bool isNormalPath(std::string_view path) {
  return std::ranges::all_of(path, isUrlCharacter) && path.find("/.") == std::string_view::npos &&
         path.find("%2e") == std::string_view::npos && path.find("%2E") == std::string_view::npos;
}

bool isNormalQuery(std::string_view query) {
  return std::ranges::all_of(query, [](char c) { return isUrlCharacter(c) || c == '?'; });
}

}  // namespace

bool isNormalUrl(std::string_view url) noexcept {
  const bool isSecure = url.starts_with("https://");
  if (!isSecure && !url.starts_with("http://")) return false;
  url.remove_prefix(url.find("//") + 2);
  const std::size_t slash = url.find('/');
  if (slash == std::string_view::npos ||
      !isNormalAuthority(url.substr(0, slash), isSecure ? "443" : "80")) {
    return false;
  }
  url.remove_prefix(slash);
  const std::size_t question = url.find('?');
  return isNormalPath(url.substr(0, question)) &&
         (question == std::string_view::npos || isNormalQuery(url.substr(question + 1)));
}

}  // namespace schemascript::guest
