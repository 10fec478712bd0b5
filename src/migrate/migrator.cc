#include "migrate/migrator.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/error.h"
#include "migrate/tokens.h"

namespace schemascript {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

// One migration, in one direction.
struct Move {
  std::string id;
  Direction direction = Direction::Up;
  std::string sql;
  std::filesystem::path source;  // Empty: no changes of data.
  std::vector<Rename> renames;
  std::vector<std::string> mayLose;
  std::optional<Schema> wanted;  // Nothing: it is not known.
  AppliedMigration record;
};

// Ends the recorded way back of a migration that has a down.ts, too.
constexpr std::string_view kNeedsSource = "\n-- and down.ts\n";

// Somebody else has migrated since we looked.
struct HasMoved {};

std::string listOf(std::span<const std::string> lines) {
  std::string list;
  for (const std::string& line : lines) list += str("\n  ", line);
  return list;
}

std::vector<std::string> idsOf(std::span<const AppliedMigration> history) {
  std::vector<std::string> ids;
  for (const AppliedMigration& each : history) ids.push_back(each.id);
  return ids;
}

const AppliedMigration* tryFind(std::span<const AppliedMigration> history, std::string_view id) {
  const auto found = std::ranges::find(history, id, &AppliedMigration::id);
  return found == history.end() ? nullptr : &*found;
}

// The schema that those of `ids` lead to together; nothing when only carrying them out would tell.
std::optional<Schema> schemaBehind(const MigrationFolder& folder,
                                   std::span<const std::string> ids) {
  std::set<std::string_view> parents;
  for (const std::string& id : ids) {
    const MigrationFiles* const files = folder.tryFind(id);
    if (files == nullptr) return std::nullopt;
    for (const MigrationParent& parent : files->parents) parents.insert(parent.id);
  }
  std::vector<const MigrationFiles*> ends;
  for (const std::string& id : ids) {
    if (!parents.contains(id)) ends.push_back(folder.tryFind(id));
  }
  if (ends.size() > 1) return std::nullopt;
  return schemaOf(ends.empty() ? nullptr : ends.front());
}

std::vector<std::string> driftOf(Database& database, const MigrationFolder& folder,
                                 std::span<const AppliedMigration> history) {
  const auto expected = schemaBehind(folder, idsOf(history));
  return expected ? differencesBetween(*expected, readSchema(database))
                  : std::vector<std::string>();
}

Limits limitsOf(const MigratorOptions& options) {
  Limits limits = limitsForMigration({});
  limits.busyTimeMax = options.waitMax;
  return limits;
}

bool isThere(const std::filesystem::path& file) {
  std::error_code ignored;
  return std::filesystem::exists(file, ignored);
}

AppliedMigration recordOf(const MigrationFiles& files) {
  return {.id = files.id,
          .hash = files.hash,
          .down = str(files.down, files.downSource.empty() ? "" : kNeedsSource),
          .appliedAt = std::chrono::system_clock::now()};
}

class Migrator {
 public:
  explicit Migrator(const MigratorOptions& options)
      : options_(options), folder_(MigrationFolder::read(options.folder)) {}

  MigratorReport run(Direction direction) {
    try {
      return runToTheEnd(direction);
    } catch (const Error&) {
      if (!options_.stop.stop_requested()) throw;
      throw unavailable(str("interrupted; ", whatWasDone(direction)));
    }
  }
  std::vector<std::string> adopt() {
    if (options_.to.empty()) throw invalidRequest("name the migration that the database is at");
    const MigrationFiles& target = folder_.find(options_.to);
    Database database({.file = options_.database, .limits = limitsOf(options_)});
    if (!readHistory(database).empty()) {
      throw conflict(str(options_.database.string(), " has a record of its migrations already"));
    }
    const std::vector<const MigrationFiles*> line = folder_.lineOf(target);
    recordCarriedOut(database, options_.database, line);
    std::vector<std::string> ids;
    for (const MigrationFiles* each : line) ids.push_back(each->id);
    return ids;
  }

 private:
  MigratorReport runToTheEnd(Direction direction) {
    // A dry run makes no database.
    const bool isNew = !isThere(options_.database);
    if (isNew && direction == Direction::Down) {
      throw invalidRequest(str("there is no database ", options_.database.string()));
    }
    const bool isTried = isNew && options_.dryRun;
    Database database({.file = isTried ? std::filesystem::path() : options_.database,
                       .limits = limitsOf(options_)});
    const std::stop_callback ending(options_.stop, [&database] { database.interrupt(); });
    for (;;) {
      try {
        return runOnce(database, direction, isNew);
      } catch (const HasMoved&) {
      } catch (const Error&) {
        // Also what was seen of the database while another process changed it.
        if (stage_ != Stage::Rehearsal || !hasMoved(database)) throw;
      }
      report_ = {};
    }
  }

  std::string whatWasDone(Direction direction) const {
    if (stage_ == Stage::Rehearsal || report_.runs.empty()) return "nothing was changed";
    std::string ids;
    for (const MigrationRun& run : report_.runs) ids += str(ids.empty() ? "" : ", ", run.id);
    return str("what was done before stays: ",
               direction == Direction::Up ? "applied " : "rolled back ", ids);
  }

  void throwIfStopped() const {
    if (options_.stop.stop_requested()) throw unavailable("interrupted");
  }

  // Whether another process has carried out a migration since the history was read.
  bool hasMoved(Database& database) const {
    return idsOf(readHistory(database)) != idsOf(history_);
  }

  MigratorReport runOnce(Database& database, Direction direction, bool isNew) {
    stage_ = Stage::Rehearsal;
    history_ = readHistory(database);
    checkHistory();
    checkDrift(database);
    const std::vector<Move> moves = direction == Direction::Up ? movesUp() : movesDown();
    if (!moves.empty()) {
      prepareData(moves);
      rehearse(database, moves, isNew && history_.empty());
      if (options_.dryRun) return std::move(report_);
      report_.runs.clear();
      stage_ = Stage::Real;
      for (const Move& move : moves) carryOut(database, move);
    }
    if (!options_.dryRun) {
      report_.forgotten = forgetKept(database, std::chrono::system_clock::now() - options_.keepFor);
    }
    return std::move(report_);
  }

  void prepareData(std::span<const Move> moves) const {
    for (const Move& move : moves) {
      if (move.source.empty()) continue;
      if (options_.data == nullptr) {
        throw invalidRequest(str(move.source.string(), " cannot be run here"));
      }
      options_.data->prepare(move.source);
    }
  }

  void checkHistory() const {
    for (const AppliedMigration& applied : history_) {
      const MigrationFiles* const files = folder_.tryFind(applied.id);
      if (files != nullptr && files->hash != applied.hash) {
        throw conflict(
            str("the migration ", applied.id,
                " was changed after it was carried out on this database; bring its files "
                "back as they were, and put the change into a new migration"));
      }
    }
  }

  void checkDrift(Database& database) const {
    const std::vector<std::string> drift = driftOf(database, folder_, history_);
    if (drift.empty()) return;
    if (history_.empty()) {
      throw conflict(str(options_.database.string(),
                         " has a schema, and no record of migrations:", listOf(drift),
                         "\nif one of the migrations leads to this schema, say so: schemascript "
                         "migrate --db ",
                         options_.database.string(), " --baseline ID"));
    }
    throw conflict(
        str("the schema of ", options_.database.string(), " was changed by hand; it is not what ",
            history_.back().id, " has left:", listOf(drift),
            "\nundo that, or put it into a migration and record that one as carried out"));
  }

  std::vector<Move> movesUp() const {
    const MigrationFiles* const target =
        options_.to.empty() ? folder_.head() : &folder_.find(options_.to);
    std::vector<Move> moves;
    if (target == nullptr) {
      if (history_.empty()) return moves;
      throw conflict(str("there are no migrations in ", folder_.folder().string(), ", and ",
                         options_.database.string(), " has seen ", history_.back().id));
    }
    const std::vector<const MigrationFiles*> line = folder_.lineOf(*target);
    for (const AppliedMigration& applied : history_) {
      const MigrationFiles* const files = folder_.tryFind(applied.id);
      if (files == nullptr) {
        throw conflict(str("the migration ", applied.id, ", which was carried out on ",
                           options_.database.string(), ", is not in ", folder_.folder().string(),
                           "; bring it back, or roll it back first"));
      }
      if (std::ranges::find(line, files) == line.end()) {
        throw conflict(str(target->id, " was not made from ", applied.id,
                           ", which was carried out on ", options_.database.string(),
                           "; join them with schemascript merge FILE.ts, or go back with "
                           "schemascript rollback"));
      }
    }
    std::vector<std::string> ids = idsOf(history_);
    for (const MigrationFiles* files : line) {
      if (tryFind(history_, files->id) != nullptr) continue;
      ids.push_back(files->id);
      std::vector<std::string> mayLose = files->losses;
      mayLose.insert(mayLose.end(), options_.allowedLosses.begin(), options_.allowedLosses.end());
      moves.push_back({.id = files->id,
                       .direction = Direction::Up,
                       .sql = files->up,
                       .source = files->upSource,
                       .renames = files->renames,
                       .mayLose = std::move(mayLose),
                       .wanted = schemaBehind(folder_, ids),
                       .record = recordOf(*files)});
    }
    return moves;
  }

  std::vector<Move> movesDown() const {
    std::vector<Move> moves;
    if (history_.empty()) return moves;
    std::set<std::string> stays;
    if (options_.to.empty()) {
      for (const AppliedMigration& each : history_) stays.insert(each.id);
      stays.erase(history_.back().id);
    } else {
      const MigrationFiles& target = folder_.find(options_.to);
      if (tryFind(history_, target.id) == nullptr) {
        throw invalidRequest(str(target.id, " was not carried out on ", options_.database.string(),
                                 "; go there with schemascript migrate --to"));
      }
      for (const MigrationFiles* each : folder_.lineOf(target)) stays.insert(each->id);
    }
    std::vector<std::string> ids = idsOf(history_);
    for (auto applied = history_.rbegin(); applied != history_.rend(); ++applied) {
      if (stays.contains(applied->id)) continue;
      std::erase(ids, applied->id);
      moves.push_back(moveDown(*applied, ids));
    }
    return moves;
  }

  Move moveDown(const AppliedMigration& applied, std::span<const std::string> left) const {
    const MigrationFiles* const files = folder_.tryFind(applied.id);
    if (files != nullptr && !files->kept.empty() && !applied.isKept && !options_.withoutKept) {
      throw conflict(
          str("what ", applied.id,
              " has dropped or overwritten is not kept any more: its way back brings the "
              "columns and tables, without what they held; add --without-kept if that is "
              "enough"));
    }
    if (files == nullptr && applied.down.ends_with(kNeedsSource)) {
      throw conflict(str("the way back from ", applied.id,
                         " has a down.ts, and its files are not in ", folder_.folder().string(),
                         "; bring them back"));
    }
    return {.id = applied.id,
            .direction = Direction::Down,
            .sql = files == nullptr ? applied.down : files->down,
            .source = files == nullptr ? std::filesystem::path() : files->downSource,
            .renames = files == nullptr ? std::vector<Rename>() : reversed(files->renames),
            .mayLose = options_.allowedLosses,
            .wanted = schemaBehind(folder_, left),
            .record = applied};
  }

  void rehearse(Database& database, std::span<const Move> moves, bool isNew) {
    const auto begin = Clock::now();
    if (isNew) {  // There is nothing that could be lost.
      Database copy({.limits = limitsOf(options_)});
      const std::stop_callback ending(options_.stop, [&copy] { copy.interrupt(); });
      for (const Move& move : moves) carryOut(copy, move);
    } else {
      const RehearsalCopy file(options_.database, [this](std::uint64_t done, std::uint64_t pages) {
        throwIfStopped();
        report({.id = {}, .isRehearsal = true, .pagesDone = done, .pages = pages});
      });
      Database copy({.file = file.file(), .limits = limitsOf(options_)});
      // It is thrown away.
      copy.execute("pragma synchronous = off", Rules::Host);
      const std::stop_callback ending(options_.stop, [&copy] { copy.interrupt(); });
      compareWith(database, copy, moves);
    }
    report_.rehearsalTook = duration_cast<milliseconds>(Clock::now() - begin);
  }

  void compareWith(Database& database, Database& copy, std::span<const Move> moves) {
    std::vector<std::vector<Rename>> renames;
    std::set<std::string> named;
    bool hasData = false;
    for (const Move& move : moves) {
      carryOut(copy, move);
      renames.push_back(move.renames);
      hasData = hasData || !move.source.empty();
      for (const Token& token : tokensOf(move.sql)) named.insert(token.name());
    }
    report_.rehearsal = compareRows(database, copy, renames, [&](std::string_view table) {
      return hasData || named.contains(lowerCase(table));
    });
    refuseLosses(moves);
  }

  void refuseLosses(std::span<const Move> moves) const {
    std::string refused;
    std::string options;
    for (const Loss& loss : report_.rehearsal.losses) {
      const bool isAllowed = std::ranges::any_of(moves, [&loss](const Move& move) {
        return std::ranges::any_of(move.mayLose, [&loss](const std::string& name) {
          return isSameName(name, loss.what) || isSameName(name, loss.name);
        });
      });
      if (isAllowed) continue;
      const bool isColumn = loss.what.find('.') != std::string::npos;
      refused += str("\n  ", loss.what, ": ", loss.rows, loss.rows == 1 ? " row" : " rows",
                     isColumn ? " with a value" : "");
      options += str(" --allow-loss ", loss.what);
    }
    if (refused.empty()) return;
    throw conflict(str("the rehearsal shows that this would be lost:", refused,
                       "\nnothing was changed; if it may go, add", options));
  }

  void report(const MigratorProgress& progress) const {
    if (options_.progress) options_.progress(progress);
  }

  void carryOut(Database& database, const Move& move) {
    throwIfStopped();
    const bool isRehearsal = stage_ == Stage::Rehearsal;
    RunnerOptions options{.wanted = move.wanted ? &*move.wanted : nullptr,
                          .renames = move.renames,
                          .mayLose = move.mayLose};
    options.progress = [&](const MigrationProgress& progress) {
      report({.id = move.id, .isRehearsal = isRehearsal, .statement = progress});
    };
    if (!move.source.empty()) {
      options.data = [&](Database& target) { options_.data->run(target, move.source, stage_); };
    }
    const std::size_t done = report_.runs.size();
    options.begun = [&](Database& target) {
      if (isRehearsal) return;
      std::vector<std::string> expected = idsOf(history_);
      for (std::size_t i = 0; i < done; ++i) {
        if (move.direction == Direction::Up) {
          expected.push_back(report_.runs[i].id);
        } else {
          std::erase(expected, report_.runs[i].id);
        }
      }
      if (idsOf(readHistory(target)) != expected) throw HasMoved();
    };
    const auto begin = Clock::now();
    options.checked = [&](Database& target) {
      if (move.direction == Direction::Down) return recordRolledBack(target, move.id);
      AppliedMigration record = move.record;
      record.took = duration_cast<milliseconds>(Clock::now() - begin);
      recordApplied(target, record);
    };
    try {
      report_.runs.push_back({move.id, runMigration(database, move.sql, options)});
    } catch (const Error& error) {
      const std::string message =
          str(move.id, isRehearsal ? ", in the rehearsal" : "",
              move.direction == Direction::Down ? ", on the way back" : "", ": ", error.message(),
              isRehearsal ? "\nthe database itself was not touched" : "");
      if (error.detail() == nullptr) throwError(error.code(), message);
      throwError(error.code(), message, *error.detail());
    }
  }

  const MigratorOptions& options_;
  const MigrationFolder folder_;
  std::vector<AppliedMigration> history_;
  MigratorReport report_;
  Stage stage_ = Stage::Rehearsal;
};

}  // namespace

MigratorReport migrate(const MigratorOptions& options) {
  return Migrator(options).run(Direction::Up);
}

MigratorReport rollBack(const MigratorOptions& options) {
  return Migrator(options).run(Direction::Down);
}

void recordCarriedOut(Database& database, const std::filesystem::path& file,
                      std::span<const MigrationFiles* const> migrations) {
  if (migrations.empty()) return;
  database.execute("begin immediate", Rules::Host);
  try {
    const std::vector<std::string> differences =
        differencesBetween(schemaOf(migrations.back()), readSchema(database));
    if (!differences.empty()) {
      throw conflict(str(file.string(), " is not where ", migrations.back()->id,
                         " leads to:", listOf(differences)));
    }
    for (const MigrationFiles* each : migrations) {
      AppliedMigration record = recordOf(*each);
      record.isKept = false;
      recordApplied(database, record);
    }
    database.execute("commit", Rules::Host);
  } catch (...) {
    database.rollbackOrAbandon();
    throw;
  }
}

std::vector<std::string> adoptBaseline(const MigratorOptions& options) {
  return Migrator(options).adopt();
}

std::string_view nameOf(MigrationStatus::State state) noexcept {
  switch (state) {
    case MigrationStatus::State::Applied:
      return "applied";
    case MigrationStatus::State::Pending:
      return "pending";
    case MigrationStatus::State::Changed:
      return "changed";
    case MigrationStatus::State::Missing:
      return "missing";
  }
  return {};
}

DatabaseStatus statusOf(Database& database, const MigrationFolder& folder) {
  using State = MigrationStatus::State;
  DatabaseStatus status;
  const std::vector<AppliedMigration> history = readHistory(database);
  for (const AppliedMigration& applied : history) {
    const MigrationFiles* const files = folder.tryFind(applied.id);
    const bool isSame = files != nullptr && files->hash == applied.hash;
    const State state = files == nullptr ? State::Missing
                        : isSame         ? State::Applied
                                         : State::Changed;
    status.migrations.push_back({state, applied.id, applied.appliedAt,
                                 applied.isKept && files != nullptr && !files->kept.empty()});
  }
  for (const MigrationFiles& files : folder.all()) {
    if (tryFind(history, files.id) == nullptr) {
      status.migrations.push_back({State::Pending, files.id, std::nullopt, false});
    }
  }
  for (const MigrationFiles* head : folder.heads()) status.heads.push_back(head->id);
  status.drift = driftOf(database, folder, history);
  status.isUnrecorded = history.empty() && !status.drift.empty();
  return status;
}

}  // namespace schemascript
