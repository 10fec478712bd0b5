#include "runtime/guest-options.h"

#include <boost/json.hpp>

namespace schemascript {

std::string guestOptions(const std::vector<std::string>& arguments, PushFirst pushFirst) {
  namespace json = boost::json;
  return json::serialize(json::object{
      {"args", json::value_from(arguments)},
      {"pushFirst", pushFirst == PushFirst::Yes},
  });
}

}  // namespace schemascript
