// Migrations as folders of files, which stand beside the source of an app and are part of it:
//
//   migrations/20261123164501_add_age/up.sql         from its parent's schema to its own
//                                     down.sql       back
//                                     snapshot.json  its schema, its parents, what it renames
//                                     up.ts          changes of data that are no SQL; if there is
//                                     one down.ts        the same, on the way back
//
// A migration knows its parents by the hashes of their snapshots, as a commit does: so two that
// were made from the same one on two branches are seen, and a third one can have both as parents.
#pragma once

#include <chrono>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "migrate/plan.h"
#include "migrate/schema.h"

namespace schemascript {

struct MigrationParent {
  std::string id;
  std::string hash;  // Of its snapshot.json.
};

struct MigrationFiles {
  std::string id{};  // The folder's name.
  std::filesystem::path folder{};
  std::string up{};
  std::string down{};
  std::filesystem::path upSource{};    // Empty where there is none.
  std::filesystem::path downSource{};  // The same.
  std::vector<MigrationParent> parents{};
  std::vector<std::string> schema{};  // The CREATE statements of all that there is behind it.
  std::vector<Rename> renames{};
  std::vector<std::string> losses{};  // What it may lose: `users`, `users.email`.
  std::vector<std::string> kept{};    // Tables in which it keeps that.
  std::string snapshotHash{};
  // Of all that is carried out by it: up.sql, up.ts and the snapshot. Line ends may differ.
  std::string hash{};
};

// Reads what it is given, and nothing else: once.
class MigrationFolder {
 public:
  // A folder that is not there has none. Throws InvalidRequest for a migration that lacks a file,
  // or whose files are not what this program writes; and Conflict for one whose parent is not there
  // or is not what it was: the names of both.
  static MigrationFolder read(const std::filesystem::path& folder);

  // Parents first, else by their names.
  const std::vector<MigrationFiles>& all() const noexcept { return all_; }
  const std::filesystem::path& folder() const noexcept { return folder_; }
  // By its name, its time, or the name behind its time. Throws InvalidRequest when there is none,
  // or more than one.
  const MigrationFiles& find(std::string_view name) const;
  const MigrationFiles* tryFind(std::string_view id) const noexcept;
  // Those that no other has as a parent.
  std::vector<const MigrationFiles*> heads() const;
  // The only one; null when there is none at all. Throws Conflict when there are several.
  const MigrationFiles* head() const;
  // `migration` and all that it is made from, parents first.
  std::vector<const MigrationFiles*> lineOf(const MigrationFiles& migration) const;

 private:
  void order();

  std::filesystem::path folder_;
  std::vector<MigrationFiles> all_;
};

// The schema behind a migration; null: nothing.
Schema schemaOf(const MigrationFiles* migration);

// `20261123164501_add_age`: the time is UTC. Throws InvalidRequest for a name that is no part of a
// file's name: letters, digits, `_` and `-`, 60 at most.
std::string newMigrationId(std::string_view name, std::chrono::system_clock::time_point now);

struct NewMigration {
  std::string id{};
  std::span<const Rename> renames{};
  std::span<const std::string> allowedLosses{};
};

// The migration that leads from the folder's head to `wanted`; nothing is written. No steps:
// nothing has changed. Throws Conflict for a loss that is not allowed, and says how to allow it;
// and for several heads.
struct MadeMigration {
  MigrationFiles files;
  Migration steps;
};
MadeMigration makeNext(const MigrationFolder& folder, const Schema& wanted,
                       const NewMigration& description);

// The migration that has all heads of the folder as parents, and leads to `wanted` from where these
// have led together. Throws Conflict when the heads do not get on: when it matters in which order
// they are carried out, on what they differ then.
MadeMigration makeMerge(const MigrationFolder& folder, const Schema& wanted,
                        const NewMigration& description);

// A migration whose SQL there is already, from `parent` (null: none), whose schema is `from`, to
// `wanted`: with the way back, and what `up` loses. Nothing is kept of that.
MigrationFiles makeGiven(const MigrationFiles* parent, const Schema& from, const Schema& wanted,
                         const NewMigration& description, std::string up);

enum class WithData : bool { No, Yes };

// Writes the files of a migration into `folder`, which is made if it is not there: the whole or
// nothing; with data, an up.ts and a down.ts to begin with. Throws Unavailable.
void writeMigration(const std::filesystem::path& folder, const MigrationFiles& files,
                    WithData withData = WithData::No);

}  // namespace schemascript
