// The databases of a server: one for all, or one for each tenant in a folder, opened when somebody
// asks for it and closed when nobody has for a while.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "database/connection-pool.h"

namespace schemascript {

// 1 to 63 lower-case letters, digits, `-` and `_`, the first a letter or a digit: what can be a
// label of a host name and a file name everywhere, and cannot lead out of a folder.
bool isTenantName(std::string_view name) noexcept;

struct TenantsOptions {
  // Each tenant's database is NAME.db in it.
  std::filesystem::path folder;
  // For every database; its `file` is not looked at.
  DatabaseOptions database{};
  // A tenant that nobody has asked for so long is closed. Opening one takes a millisecond.
  std::chrono::milliseconds idleTimeMax{60'000};
  // Open at the same time; beyond, those that were not used for longest are closed. Each takes some
  // file descriptors and 100 KB.
  std::size_t openMax = 1'000;
  // Called with each database that was opened, before anybody has it. What it throws, tryOpen()
  // does.
  std::function<void(ConnectionPool& database)> prepare{};
};

// Thread-safe.
class Tenants {
 public:
  using Clock = std::chrono::steady_clock;

  // Throws InvalidRequest when `folder` is not a folder.
  explicit Tenants(TenantsOptions options);

  // The database of `name`; null when there is none: nobody makes one by asking for it. Opens it
  // unless it is open, which may take a while. Owned together; it stays open for as long as
  // somebody has it. Throws as ConnectionPool does.
  std::shared_ptr<ConnectionPool> tryOpen(std::string_view name,
                                          Clock::time_point now = Clock::now());

  // A look at a database that nobody is about to use: the pool of `name` if it is open, else one of
  // the caller's own, which ends with it; neither counts as use, and nobody else is closed for it.
  // Null and throws as tryOpen() does.
  std::shared_ptr<ConnectionPool> tryVisit(std::string_view name) const;

  // How to open the database of `name` for oneself; nothing when there is none.
  std::optional<DatabaseOptions> tryOptionsOf(std::string_view name) const;

  // Of all databases in the folder, sorted. Throws Unavailable when the folder cannot be read.
  std::vector<std::string> names() const;

  // Closes those that were idle for too long. To be called every now and then.
  void closeIdle(Clock::time_point now = Clock::now());
  // Closes all that nobody has: their write-ahead logs are gone afterwards.
  void closeAll();

  std::size_t openCount() const;

 private:
  struct Tenant {
    std::string name;
    std::shared_ptr<ConnectionPool> pool;
    Clock::time_point usedAt;
  };
  using Order = std::list<Tenant>;  // The one that was used last in front.

  std::filesystem::path fileOf(std::string_view name) const;
  std::shared_ptr<ConnectionPool> use(Order::iterator tenant, Clock::time_point now);
  template <typename MayStay>
  Order takeOut(MayStay&& mayStay);

  const TenantsOptions options_;
  mutable std::mutex mutex_;  // Guards what follows. Not held while a database is opened or closed.
  Order order_;
  std::unordered_map<std::string, Order::iterator> byName_;
};

}  // namespace schemascript
