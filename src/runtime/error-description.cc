#include "runtime/error-description.h"

#include <array>
#include <boost/json.hpp>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/units.h"

namespace schemascript {
namespace {

namespace json = boost::json;

std::string textAt(const json::object& object, std::string_view key) {
  const auto* const value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// An error has causes as deep as the guest likes; its own description is bounded, and this is
// again.
constexpr int kDepthMax = 16;
constexpr std::size_t kErrorsMax = 64;
// The guest's own descriptions are shorter. What is read of one takes many times as much.
constexpr std::size_t kFailureBytesMax = 8u << 20;

ErrorDescription describe(const json::value* value, int depth) {
  if (value == nullptr || !value->is_object() || depth > kDepthMax) return {};
  const json::object& object = value->get_object();
  ErrorDescription description{textAt(object, "name"),
                               textAt(object, "message"),
                               textAt(object, "stack"),
                               textAt(object, "code"),
                               {},
                               {},
                               {}};
  if (const auto* const cause = object.if_contains("cause")) {
    description.causes.push_back(describe(cause, depth + 1));
  }
  const auto* const errors = object.if_contains("errors");
  if (errors != nullptr && errors->is_array()) {
    for (const auto& error : errors->get_array()) {
      if (description.errors.size() == kErrorsMax) break;
      description.errors.push_back(describe(&error, depth + 1));
    }
  }
  const auto* const exports = object.if_contains("exports");
  if (exports != nullptr && exports->is_array()) {
    for (const auto& name : exports->get_array()) {
      if (name.is_string()) description.exports.emplace_back(name.get_string());
    }
  }
  return description;
}

GuestFailure::Kind kindNamed(std::string_view name) {
  using Kind = GuestFailure::Kind;
  constexpr std::array<std::pair<std::string_view, Kind>, 6> kKinds{{
      {"stopped", Kind::Stopped},
      {"memory", Kind::OutOfMemory},
      {"fuel", Kind::OutOfFuel},
      {"pending", Kind::NeverSettles},
      {"missing", Kind::NoSuchExport},
      {"argument", Kind::BadArgument},
  }};
  for (const auto& [known, kind] : kKinds) {
    if (known == name) return kind;
  }
  return Kind::Threw;
}

}  // namespace

std::string fuelExceededMessage(const Limits& limits) {
  return str("it made more than ", limits.fuelMax,
             " jumps and calls (fuelMax); have it do less at once, or give it more fuel");
}

GuestFailure readFailure(const std::string& text) {
  if (text.size() > kFailureBytesMax) {
    GuestFailure failure;
    failure.error.message = str("the guest has ", formatSize(text.size()),
                                " of text about its failure, which is not read");
    return failure;
  }
  boost::system::error_code invalid;
  const json::value parsed = json::parse(text, invalid);
  if (invalid || !parsed.is_object()) return {};
  const json::object& object = parsed.get_object();
  return {kindNamed(textAt(object, "kind")), describe(object.if_contains("error"), 0)};
}

}  // namespace schemascript
