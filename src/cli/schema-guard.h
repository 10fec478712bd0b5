// Keeps a server from working on databases that have not the tables which its app declares.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>

#include "database/connection-pool.h"
#include "database/database.h"
#include "migrate/migrator.h"
#include "migrate/schema.h"

namespace schemascript {

struct SchemaGuardOptions {
  std::filesystem::path app{};         // For messages.
  std::filesystem::path migrations{};  // The folder; it need not be there.
  // Carry out what a database has not seen. As migrate() does it, with a rehearsal.
  bool migrates = false;
  bool readOnly = false;  // The databases must not be changed; for advice.
  // As MigratorOptions has them. The first is used by any thread.
  std::shared_ptr<DataChanges> data{};
  std::stop_token stop{};
  // What there is to say about a database: that migrations were carried out, or wait. Any thread.
  std::function<void(std::string_view text)> say{};
};

// Of one version of an app. Thread-safe.
class SchemaGuard {
 public:
  SchemaGuard(Schema wanted, SchemaGuardOptions options);

  // Carries out what the database has not seen, if this migrates, and throws Conflict when it is
  // not what the app declares then: each difference, the migrations that it has not seen, and what
  // to do. Other tables, and columns that rows need not name, do no harm. One that was found to be
  // right is not looked through again before its schema changes. Throws as migrate() does.
  void check(ConnectionPool& pool) const;
  // The same of a file that is not there: it is made where this migrates, and else not. Empty: of a
  // database in memory.
  void checkNew(const std::filesystem::path& file) const;

 private:
  void migrateFile(const std::filesystem::path& file) const;
  bool isKnown(const std::filesystem::path& file, Database& database) const;
  void refuse(const std::filesystem::path& file, Database* database,
              const std::vector<std::string>& lacks) const;
  std::string adviceFor(const std::filesystem::path& file, Database* database) const;

  const Schema wanted_;
  const SchemaGuardOptions options_;
  mutable std::mutex mutex_;
  // SQLite's counter of changes of the schema, of databases that were right, by their files.
  mutable std::map<std::string, std::int64_t> right_;
};

}  // namespace schemascript
