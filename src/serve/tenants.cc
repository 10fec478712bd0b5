#include "serve/tenants.h"

#include <algorithm>
#include <system_error>

#include "base/error.h"

namespace schemascript {
namespace {

constexpr std::size_t kNameBytesMax = 63;

bool isAlphanumeric(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

bool isTenantName(std::string_view name) noexcept {
  return !name.empty() && name.size() <= kNameBytesMax && isAlphanumeric(name.front()) &&
         std::ranges::all_of(name,
                             [](char c) { return isAlphanumeric(c) || c == '-' || c == '_'; });
}

Tenants::Tenants(TenantsOptions options) : options_(std::move(options)) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(options_.folder, ignored)) {
    throw invalidRequest(str("there is no folder ", options_.folder.string(),
                             "; make it, and put the tenants' databases into it as NAME.db"));
  }
}

std::filesystem::path Tenants::fileOf(std::string_view name) const {
  return options_.folder / (std::string(name) + ".db");
}

std::shared_ptr<ConnectionPool> Tenants::use(Order::iterator tenant, Clock::time_point now) {
  tenant->usedAt = now;
  order_.splice(order_.begin(), order_, tenant);
  return tenant->pool;
}

// Those that may not stay and nobody has, for closing them without the lock.
template <typename MayStay>
Tenants::Order Tenants::takeOut(MayStay&& mayStay) {
  Order taken;
  for (auto at = order_.end(); at != order_.begin();) {
    const auto tenant = std::prev(at);
    if (mayStay(*tenant)) break;  // As may those in front of it, which were used later.
    if (tenant->pool.use_count() > 1) {
      at = tenant;
      continue;
    }
    byName_.erase(tenant->name);
    taken.splice(taken.end(), order_, tenant);
  }
  return taken;
}

std::shared_ptr<ConnectionPool> Tenants::tryOpen(std::string_view name, Clock::time_point now) {
  if (!isTenantName(name)) return nullptr;
  const std::string key(name);
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = byName_.find(key); found != byName_.end()) {
      return use(found->second, now);
    }
  }
  std::optional<DatabaseOptions> database = tryOptionsOf(key);
  if (!database) return nullptr;
  auto pool = std::make_shared<ConnectionPool>(std::move(*database));
  if (options_.prepare) options_.prepare(*pool);

  Order closing;  // Closed behind the lock.
  const std::lock_guard lock(mutex_);
  // Somebody else may have been quicker; there is one queue of writers for each database.
  if (const auto found = byName_.find(key); found != byName_.end()) {
    return use(found->second, now);
  }
  order_.push_front({key, std::move(pool), now});
  byName_[key] = order_.begin();
  closing = takeOut([&](const Tenant&) { return order_.size() <= options_.openMax; });
  return order_.front().pool;
}

std::shared_ptr<ConnectionPool> Tenants::tryVisit(std::string_view name) const {
  if (!isTenantName(name)) return nullptr;
  {
    const std::lock_guard lock(mutex_);
    const auto found = byName_.find(std::string(name));
    if (found != byName_.end()) return found->second->pool;
  }
  std::optional<DatabaseOptions> database = tryOptionsOf(name);
  if (!database) return nullptr;
  return std::make_shared<ConnectionPool>(std::move(*database));
}

std::optional<DatabaseOptions> Tenants::tryOptionsOf(std::string_view name) const {
  if (!isTenantName(name)) return std::nullopt;
  DatabaseOptions database = options_.database;
  database.file = fileOf(name);
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(database.file, ignored)) return std::nullopt;
  return database;
}

std::vector<std::string> Tenants::names() const {
  std::vector<std::string> names;
  std::error_code failure;
  std::filesystem::directory_iterator at(options_.folder, failure);
  for (; !failure && at != std::filesystem::directory_iterator(); at.increment(failure)) {
    const std::filesystem::path& file = at->path();
    std::string name = file.stem().string();
    std::error_code ignored;
    if (file.extension() != ".db" || !isTenantName(name) || !at->is_regular_file(ignored)) continue;
    names.push_back(std::move(name));
  }
  if (failure) {
    throw unavailable(str("cannot list the tenants in ", options_.folder.string(), ": ",
                          failure.message(), "; the server must be allowed to read the folder"));
  }
  std::ranges::sort(names);
  return names;
}

void Tenants::closeIdle(Clock::time_point now) {
  Order closing;
  const std::lock_guard lock(mutex_);
  closing =
      takeOut([&](const Tenant& tenant) { return now - tenant.usedAt < options_.idleTimeMax; });
}

void Tenants::closeAll() {
  Order closing;
  const std::lock_guard lock(mutex_);
  closing = takeOut([](const Tenant&) { return false; });
}

std::size_t Tenants::openCount() const {
  const std::lock_guard lock(mutex_);
  return order_.size();
}

}  // namespace schemascript
