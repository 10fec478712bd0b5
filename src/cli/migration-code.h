// The up.ts and down.ts of migrations: bundled, and run in the sandbox inside of the migration's
// transaction.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "base/limits.h"
#include "cli/bundle.h"
#include "migrate/migrator.h"
#include "runtime/run.h"
#include "sandbox/engine.h"
#include "sandbox/watchdog.h"

namespace schemascript {

struct MigrationCodeOptions {
  Limits limits{};  // Its memory. What it takes together is not limited: limitsOfMigration().
  // Receives what it writes, in source positions, on the thread that migrates; what it writes in a
  // rehearsal only when it fails there, unless `showsRehearsal`.
  std::function<void(std::string_view)> log;
  bool showsRehearsal = false;
  // As RunOptions has it; may be empty.
  std::function<void(const std::filesystem::path& source, const RunProgress&)> progress{};
};

// Thread-safe, if what it calls is.
class MigrationCode final : public DataChanges {
 public:
  // Makes an engine when there is first something to run.
  explicit MigrationCode(MigrationCodeOptions options) : options_(std::move(options)) {}
  // Keeps references to both.
  MigrationCode(const Engine& engine, Watchdog& watchdog, MigrationCodeOptions options)
      : options_(std::move(options)), engine_(&engine), watchdog_(&watchdog) {}

  // Throws InvalidRequest with what esbuild complains of.
  void prepare(const std::filesystem::path& source) override;
  // Throws Conflict for what the code throws, with the place in its source, and for a transaction
  // that it leaves open; LimitExceeded for its memory and after Database::interrupt().
  void run(Database& database, const std::filesystem::path& source, Stage stage) override;

 private:
  struct Sandbox {
    Sandbox();
    Engine engine;
    Watchdog watchdog;
  };

  std::shared_ptr<const Bundle> bundleOf(const std::filesystem::path& source);

  const MigrationCodeOptions options_;
  std::mutex mutex_;  // Guards what follows.
  std::optional<Sandbox> own_;
  const Engine* engine_ = nullptr;
  Watchdog* watchdog_ = nullptr;
  std::map<std::filesystem::path, std::shared_ptr<const Bundle>> bundles_;
};

}  // namespace schemascript
