// The cache of prepared statements.
#include "database/statement-cache.h"

#include <functional>

#include "database/database.h"

namespace schemascript {

bool StatementCache::Key::operator==(const Key& other) const noexcept {
  if (sql != other.sql) return false;
  if (capabilities == other.capabilities) return true;
  return capabilities != nullptr && other.capabilities != nullptr &&
         *capabilities == *other.capabilities;
}

std::size_t StatementCache::HashKey::operator()(const Key& key) const noexcept {
  const std::size_t hash = std::hash<std::string_view>()(key.sql);
  return key.capabilities == nullptr ? hash : hash ^ key.capabilities->hash();
}

Lease StatementCache::lend(std::string_view sql) {
  const std::shared_ptr<const Capabilities>& capabilities = database_.capabilities();
  const Key key{.sql = sql, .capabilities = capabilities.get()};
  const auto found = byKey_.find(key);
  if (found != byKey_.end() && !found->second->lent) {
    ++counters_.hits;
    statements_.splice(statements_.begin(), statements_, found->second);
    return Lease(*found->second);
  }
  ++counters_.misses;
  Statement statement = database_.prepare(sql, Rules::Guest);
  // What is in use twice at once, or long, is not kept.
  if (found != byKey_.end() || sql.size() > database_.limits().cachedSqlBytesMax || !makeRoom()) {
    return Lease(std::move(statement));
  }
  statements_.push_front(
      {.sql = std::string(sql), .capabilities = capabilities, .statement = std::move(statement)});
  byKey_.emplace(keyOf(statements_.front()), statements_.begin());
  return Lease(statements_.front());
}

// False when every statement is lent.
bool StatementCache::makeRoom() {
  if (statements_.size() < database_.limits().cachedStatementsMax) return true;
  for (auto oldest = statements_.rbegin(); oldest != statements_.rend(); ++oldest) {
    if (oldest->lent) continue;
    byKey_.erase(keyOf(*oldest));
    statements_.erase(std::next(oldest).base());
    ++counters_.evictions;
    return true;
  }
  return false;
}

}  // namespace schemascript
