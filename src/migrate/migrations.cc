#include "migrate/migrations.h"

#include <algorithm>
#include <boost/json.hpp>
#include <ctime>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "migrate/tokens.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr int kFormat = 1;
constexpr std::size_t kNameMax = 60;
constexpr std::string_view kHead =
    "-- The statements run one by one, in one transaction, with foreign keys off until its end: "
    "so\n"
    "-- there is no BEGIN, COMMIT or PRAGMA in here. What you change in them takes effect, as "
    "long\n"
    "-- as they lead to the schema of snapshot.json.\n";

// Git may have changed them.
std::string withoutReturns(std::string text) {
  std::erase(text, '\r');
  return text;
}

std::string hashOf(std::initializer_list<std::string_view> parts) {
  Hasher hasher;
  for (const std::string_view part : parts) hasher.add(part);
  return hasher.hex();
}

json::array arrayOf(std::span<const std::string> texts) {
  json::array array;
  for (const std::string& text : texts) array.emplace_back(text);
  return array;
}

std::string indented(const json::value& value, const std::string& indent = "") {
  const std::string inner = indent + "  ";
  std::string text;
  if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
    for (const auto& [key, each] : *object) {
      text += str(text.empty() ? "{\n" : ",\n", inner, json::serialize(json::value(key)), ": ",
                  indented(each, inner));
    }
    return str(text, '\n', indent, '}');
  }
  if (const auto* array = value.if_array(); array != nullptr && !array->empty()) {
    for (const json::value& each : *array) {
      text += str(text.empty() ? "[\n" : ",\n", inner, indented(each, inner));
    }
    return str(text, '\n', indent, ']');
  }
  return json::serialize(value);
}

std::string renderSnapshot(const MigrationFiles& files) {
  json::array parents;
  for (const MigrationParent& parent : files.parents) {
    parents.push_back(json::object{{"id", parent.id}, {"hash", parent.hash}});
  }
  json::array renames;
  for (const Rename& rename : files.renames) {
    json::object object{{"table", rename.table}, {"was", rename.was}};
    if (!rename.column.empty()) object["column"] = rename.column;
    renames.push_back(std::move(object));
  }
  const json::object snapshot{{"format", kFormat},
                              {"parents", std::move(parents)},
                              {"schema", arrayOf(files.schema)},
                              {"renames", std::move(renames)},
                              {"losses", arrayOf(files.losses)},
                              {"kept", arrayOf(files.kept)}};
  return indented(snapshot) + '\n';
}

// Reads one member of a snapshot after the other; `file` is for messages.
class SnapshotReader {
 public:
  SnapshotReader(const fs::path& file, const std::string& text) : file_(file) {
    boost::system::error_code invalid;
    value_ = json::parse(text, invalid);
    if (invalid || !value_.is_object()) fail("it is not JSON");
    const json::value* format = object().if_contains("format");
    if (format == nullptr || *format != kFormat) {
      fail(str("its format is not ", kFormat, "; a newer schemascript may have written it"));
    }
  }

  void read(MigrationFiles& files) const {
    for (const json::value& parent : list("parents")) {
      files.parents.push_back({text(parent, "id"), text(parent, "hash")});
    }
    for (const json::value& rename : list("renames")) {
      const json::object* const members = rename.if_object();
      const bool isColumn = members != nullptr && members->contains("column");
      files.renames.push_back(
          {text(rename, "table"), isColumn ? text(rename, "column") : "", text(rename, "was")});
    }
    files.schema = texts("schema");
    files.losses = texts("losses");
    files.kept = texts("kept");
  }

 private:
  const json::object& object() const { return value_.get_object(); }

  [[noreturn]] void fail(std::string_view why) const {
    throw invalidRequest(str("cannot read ", file_.string(), ": ", why));
  }

  const json::array& list(std::string_view name) const {
    const json::value* const value = object().if_contains(name);
    if (value == nullptr || !value->is_array()) fail(str("its ", name, " is not a list"));
    return value->get_array();
  }

  std::string text(const json::value& value, std::string_view name) const {
    const json::value* const member =
        value.is_object() ? value.get_object().if_contains(name) : nullptr;
    if (member == nullptr || !member->is_string()) fail(str("a ", name, " is not a text"));
    return std::string(member->get_string());
  }

  std::vector<std::string> texts(std::string_view name) const {
    std::vector<std::string> all;
    for (const json::value& value : list(name)) {
      if (!value.is_string()) fail(str("a part of its ", name, " is not a text"));
      all.emplace_back(value.get_string());
    }
    return all;
  }

  const fs::path& file_;
  json::value value_;
};

fs::path ifThere(fs::path file) {
  std::error_code ignored;
  return fs::is_regular_file(file, ignored) ? file : fs::path();
}

void fingerprint(MigrationFiles& files, std::string_view snapshot, std::string_view upSource) {
  files.snapshotHash = hashOf({snapshot});
  files.hash = hashOf({files.up, upSource, snapshot});
}

MigrationFiles readMigration(const fs::path& folder) {
  MigrationFiles files{.id = folder.filename().string(), .folder = folder};
  for (const char* name : {"up.sql", "down.sql", "snapshot.json"}) {
    if (!ifThere(folder / name).empty()) continue;
    throw invalidRequest(str("the migration ", folder.string(), " has no ", name,
                             "; bring it back, or delete the folder if nobody has applied it"));
  }
  files.up = withoutReturns(readFile(folder / "up.sql"));
  files.down = withoutReturns(readFile(folder / "down.sql"));
  files.upSource = ifThere(folder / "up.ts");
  files.downSource = ifThere(folder / "down.ts");
  const fs::path snapshot = folder / "snapshot.json";
  const std::string text = withoutReturns(readFile(snapshot));
  SnapshotReader(snapshot, text).read(files);
  fingerprint(files, text, files.upSource.empty() ? "" : withoutReturns(readFile(files.upSource)));
  return files;
}

std::string namesOf(std::span<const MigrationFiles* const> migrations) {
  std::string names;
  for (const MigrationFiles* each : migrations) {
    names += str(names.empty() ? "" : ", ", each->id);
  }
  return names;
}

// All of a schema, in an order in which it can be made.
std::vector<std::string> creationOf(const Schema& schema) {
  std::vector<std::string> statements;
  for (const TableShape& table : schema.tables) statements.push_back(table.sql);
  for (const IndexShape& index : schema.indexes) statements.push_back(index.sql);
  for (const auto* definitions : {&schema.virtualTables, &schema.views, &schema.triggers}) {
    for (const Definition& each : *definitions) statements.push_back(each.sql);
  }
  return statements;
}

void refuseLosses(std::span<const MigrationStep> steps, std::span<const std::string> allowed) {
  std::vector<std::string> refused;
  for (const std::string& loss : lossesOf(steps)) {
    const bool isAllowed = std::ranges::any_of(
        allowed, [&loss](const std::string& name) { return isSameName(name, loss); });
    if (!isAllowed) refused.push_back(loss);
  }
  if (refused.empty()) return;
  std::string message = "this would lose what these hold:";
  std::string options;
  for (const std::string& loss : refused) {
    message += str("\n  ", loss);
    options += str(" --allow-loss ", loss);
  }
  throw conflict(str(message,
                     "\nif one of them has another name now, say so in the schema, .was(\"old\");\n"
                     "if they are to go, add",
                     options));
}

// A file of statements.
std::string textOf(std::span<const MigrationStep> steps) {
  const std::string rendered = renderSteps(steps);
  return str(kHead, '\n', rendered.empty() ? "-- Nothing changes.\n" : rendered);
}

MadeMigration make(const Schema& from, const Schema& wanted, const NewMigration& description,
                   std::vector<MigrationParent> parents) {
  MadeMigration made;
  const std::string prefix = str(kKeptTablePrefix, description.id, '_');
  made.steps = makeMigration(from, wanted, description.renames, prefix);
  refuseLosses(made.steps.up, description.allowedLosses);
  MigrationFiles& files = made.files;
  files.id = description.id;
  files.parents = std::move(parents);
  files.schema = creationOf(wanted);
  files.losses = lossesOf(made.steps.up);
  for (const Rename& rename : description.renames) files.renames.push_back(rename);
  for (int number = 1;; ++number) {
    const std::string name = str(prefix, number);
    const std::string created = str("CREATE TABLE ", quotedName(name), ' ');
    const bool isThere = std::ranges::any_of(made.steps.up, [&created](const MigrationStep& step) {
      return std::ranges::any_of(step.statements, [&created](const std::string& statement) {
        return statement.starts_with(created);
      });
    });
    if (!isThere) break;
    files.kept.push_back(name);
  }
  files.up = textOf(made.steps.up);
  files.down = textOf(made.steps.down);
  return made;
}

// The state behind all of them, carried out one after the other on nothing.
Schema carriedOut(std::span<const MigrationFiles* const> migrations) {
  Database database({});
  database.execute("pragma foreign_keys = off", Rules::Host);
  for (const MigrationFiles* migration : migrations) {
    std::size_t at = 0;
    try {
      while (auto statement = database.tryPrepareNext(migration->up, at, Rules::Migration)) {
        statement->run();
      }
    } catch (const Error& error) {
      throw conflict(
          str(migration->id, " cannot be carried out after the others: ", error.message()));
    }
  }
  return readSchema(database);
}

}  // namespace

MigrationFolder MigrationFolder::read(const fs::path& folder) {
  MigrationFolder read;
  read.folder_ = folder;
  std::error_code failure;
  if (!fs::exists(folder, failure)) return read;
  if (!fs::is_directory(folder, failure)) {
    throw invalidRequest(str(folder.string(), " is not a folder of migrations"));
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, failure)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_directory() && !name.starts_with('.')) {
      read.all_.push_back(readMigration(entry.path()));
    }
  }
  if (failure) {
    throw invalidRequest(str("cannot read ", folder.string(), ": ", failure.message()));
  }
  std::ranges::sort(read.all_, {}, &MigrationFiles::id);
  read.order();
  return read;
}

void MigrationFolder::order() {
  for (const MigrationFiles& each : all_) {
    for (const MigrationParent& parent : each.parents) {
      const MigrationFiles* const found = tryFind(parent.id);
      if (found == nullptr) {
        throw conflict(str("the migration ", each.id, " was made from ", parent.id,
                           ", which is not in ", folder_.string(), "; bring it back"));
      }
      if (found->snapshotHash != parent.hash) {
        throw conflict(str("the snapshot of ", parent.id, " was changed after ", each.id,
                           " was made from it; bring the old one back, or delete ", each.id,
                           " and generate it anew if nobody has applied it"));
      }
    }
  }
  // Each round takes the first, by its name, whose parents are all taken.
  std::vector<MigrationFiles> ordered;
  while (!all_.empty()) {
    const auto next = std::ranges::find_if(all_, [&ordered](const MigrationFiles& each) {
      return std::ranges::all_of(each.parents, [&ordered](const MigrationParent& parent) {
        return std::ranges::find(ordered, parent.id, &MigrationFiles::id) != ordered.end();
      });
    });
    if (next == all_.end()) {
      throw conflict(str("the migrations in ", folder_.string(),
                         " are each other's parents: ", all_.front().id));
    }
    ordered.push_back(std::move(*next));
    all_.erase(next);
  }
  all_ = std::move(ordered);
}

const MigrationFiles& MigrationFolder::find(std::string_view name) const {
  std::vector<const MigrationFiles*> found;
  for (const MigrationFiles& each : all_) {
    if (each.id == name) return each;
    const std::size_t underscore = each.id.find('_');
    const std::string_view id = each.id;
    if (underscore == std::string::npos) continue;
    if (id.substr(0, underscore) == name || id.substr(underscore + 1) == name) {
      found.push_back(&each);
    }
  }
  if (found.size() == 1) return *found.front();
  if (found.empty()) {
    throw invalidRequest(str("there is no migration ", name, " in ", folder_.string()));
  }
  throw invalidRequest(str(name, " can be each of these migrations: ", namesOf(found)));
}

const MigrationFiles* MigrationFolder::tryFind(std::string_view id) const noexcept {
  const auto found = std::ranges::find(all_, id, &MigrationFiles::id);
  return found == all_.end() ? nullptr : &*found;
}

std::vector<const MigrationFiles*> MigrationFolder::heads() const {
  std::set<std::string_view> parents;
  for (const MigrationFiles& each : all_) {
    for (const MigrationParent& parent : each.parents) parents.insert(parent.id);
  }
  std::vector<const MigrationFiles*> heads;
  for (const MigrationFiles& each : all_) {
    if (!parents.contains(each.id)) heads.push_back(&each);
  }
  return heads;
}

const MigrationFiles* MigrationFolder::head() const {
  const auto all = heads();
  if (all.size() <= 1) return all.empty() ? nullptr : all.front();
  throw conflict(
      str("two lines of migrations have no end in common: ", namesOf(all),
          "; they were made on two branches, join them with schemascript merge FILE.ts"));
}

std::vector<const MigrationFiles*> MigrationFolder::lineOf(const MigrationFiles& migration) const {
  std::set<std::string_view> line{migration.id};
  for (auto each = all_.rbegin(); each != all_.rend(); ++each) {
    if (!line.contains(each->id)) continue;
    for (const MigrationParent& parent : each->parents) line.insert(parent.id);
  }
  std::vector<const MigrationFiles*> all;
  for (const MigrationFiles& each : all_) {
    if (line.contains(each.id)) all.push_back(&each);
  }
  return all;
}

Schema schemaOf(const MigrationFiles* migration) {
  Database database({});
  database.execute("pragma foreign_keys = off", Rules::Host);
  if (migration == nullptr) return readSchema(database);
  for (const std::string& statement : migration->schema) {
    try {
      database.execute(statement, Rules::Migration);
    } catch (const Error& error) {
      throw invalidRequest(
          str("the snapshot of ", migration->id, " holds what is no schema: ", error.message()));
    }
  }
  return readSchema(database);
}

std::string newMigrationId(std::string_view name, std::chrono::system_clock::time_point now) {
  const bool isPlain = std::ranges::all_of(name, [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '_' || letter == '-';
  });
  if (name.empty() || name.size() > kNameMax || !isPlain) {
    throw invalidRequest(str("'", name,
                             "' cannot be the name of a migration: letters, digits, _ and -, ",
                             kNameMax, " at most"));
  }
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char time[32];
  std::strftime(time, sizeof time, "%Y%m%d%H%M%S", &utc);
  return str(time, '_', name);
}

MadeMigration makeNext(const MigrationFolder& folder, const Schema& wanted,
                       const NewMigration& description) {
  const MigrationFiles* const head = folder.head();
  std::vector<MigrationParent> parents;
  if (head != nullptr) parents.push_back({head->id, head->snapshotHash});
  return make(schemaOf(head), wanted, description, std::move(parents));
}

MadeMigration makeMerge(const MigrationFolder& folder, const Schema& wanted,
                        const NewMigration& description) {
  const auto heads = folder.heads();
  if (heads.size() < 2) {
    throw invalidRequest(str("there is nothing to merge in ", folder.folder().string(),
                             ": the migrations have one end"));
  }
  std::vector<MigrationParent> parents;
  for (const MigrationFiles* head : heads) parents.push_back({head->id, head->snapshotHash});
  std::optional<Schema> together;
  for (const MigrationFiles* first : heads) {
    std::vector<const MigrationFiles*> order = folder.lineOf(*first);
    for (const MigrationFiles& each : folder.all()) {
      if (std::ranges::find(order, &each) == order.end()) order.push_back(&each);
    }
    Schema schema = carriedOut(order);
    if (!together) {
      together = std::move(schema);
      continue;
    }
    const std::vector<std::string> differences = differencesBetween(*together, schema);
    if (differences.empty()) continue;
    std::string message = str("it matters in which order these are carried out: ", namesOf(heads));
    for (const std::string& difference : differences) message += str("\n  ", difference);
    throw conflict(str(message, "\ndelete one of them that no database has, and generate it anew"));
  }
  return make(*together, wanted, description, std::move(parents));
}

MigrationFiles makeGiven(const MigrationFiles* parent, const Schema& from, const Schema& wanted,
                         const NewMigration& description, std::string up) {
  MigrationFiles files{.id = description.id};
  if (parent != nullptr) files.parents.push_back({parent->id, parent->snapshotHash});
  files.schema = creationOf(wanted);
  for (const Rename& rename : description.renames) files.renames.push_back(rename);
  files.losses = lossesOf(planMigration(from, wanted, {.renames = files.renames}).steps);
  files.up = withoutReturns(std::move(up));
  const std::vector<Rename> back = reversed(files.renames);
  files.down = textOf(planMigration(wanted, from, {.renames = back}).steps);
  fingerprint(files, renderSnapshot(files), "");
  return files;
}

namespace {

// Code that does nothing yet.
std::string dataTemplate(std::string_view sqlFile) {
  return str(R"(import { sql } from "drizzle-orm";
import { database } from "schemascript";

// Runs behind )",
             sqlFile, R"(, in its transaction, and first on a copy of the database.
const db = database();

// await db.run(sql`update users set name = trim(name)`);
)");
}

}  // namespace

void writeMigration(const fs::path& folder, const MigrationFiles& files, WithData withData) {
  const fs::path target = folder / files.id;
  const fs::path partial = folder / str('.', files.id, ".partial");
  std::error_code failure;
  if (fs::exists(target, failure)) {
    throw invalidRequest(str(target.string(), " exists; choose another name"));
  }
  fs::remove_all(partial, failure);
  fs::create_directories(partial, failure);
  if (failure) {
    throw unavailable(str("cannot make the folder ", partial.string(), ": ", failure.message()));
  }
  writeFileAtomically(partial / "up.sql", files.up);
  writeFileAtomically(partial / "down.sql", files.down);
  writeFileAtomically(partial / "snapshot.json", renderSnapshot(files));
  if (withData == WithData::Yes) {
    writeFileAtomically(partial / "up.ts", dataTemplate("up.sql"));
    writeFileAtomically(partial / "down.ts", dataTemplate("down.sql"));
  }
  fs::rename(partial, target, failure);
  if (failure) throw unavailable(str("cannot write ", target.string(), ": ", failure.message()));
}

}  // namespace schemascript
