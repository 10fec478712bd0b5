// How the bridge hands a `push` request to the layer that compares schemas, which is above it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace schemascript {

class Database;

// `table users`, `column users.name`, `index users_email_unique`: in the order in which they were wanted.
struct PushResult {
  std::vector<std::string> created;
  std::vector<std::string> unchanged;
};

// Brings the database to the schema of the CREATE statements, or throws and changes nothing.
using Pusher = std::function<PushResult(Database&, std::string_view desiredSql)>;

}  // namespace schemascript
