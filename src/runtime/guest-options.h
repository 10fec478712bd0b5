// The JSON with which every guest is started: the first argument of ss_start.
#pragma once

#include <string>
#include <vector>

namespace schemascript {

// Whether the guest sends the tables that it declared before its first query.
enum class PushFirst : bool { No, Yes };

// `arguments`: the app's `args`.
std::string guestOptions(const std::vector<std::string>& arguments, PushFirst pushFirst);

}  // namespace schemascript
