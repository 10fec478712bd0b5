// The cache of prepared statements.
#include "database/statement-cache.h"

#include "database/database.h"

namespace schemascript {

Lease StatementCache::lend(std::string_view sql) {
  if (const auto found = bySql_.find(sql); found != bySql_.end() && !found->second->lent) {
    ++counters_.hits;
    statements_.splice(statements_.begin(), statements_, found->second);
    return Lease(*found->second);
  }
  ++counters_.misses;
  Statement statement = database_.prepare(sql, Rules::Guest);
  // What is in use twice at once, or long, is not kept.
  if (bySql_.contains(sql) || sql.size() > database_.limits().cachedSqlBytesMax || !makeRoom()) {
    return Lease(std::move(statement));
  }
  statements_.push_front({.sql = std::string(sql), .statement = std::move(statement)});
  bySql_.emplace(statements_.front().sql, statements_.begin());
  return Lease(statements_.front());
}

// False when every statement is lent.
bool StatementCache::makeRoom() {
  if (statements_.size() < database_.limits().cachedStatementsMax) return true;
  for (auto oldest = statements_.rbegin(); oldest != statements_.rend(); ++oldest) {
    if (oldest->lent) continue;
    bySql_.erase(oldest->sql);
    statements_.erase(std::next(oldest).base());
    ++counters_.evictions;
    return true;
  }
  return false;
}

}  // namespace schemascript
