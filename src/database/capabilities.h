// What a session may touch: tables and columns, by name. Parsed once, asked by the authorizer for
// each access while SQLite compiles a statement.
#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

namespace schemascript {

// Immutable, so any number of threads may share one. Names are compared as SQLite compares them:
// ASCII letters in either case are the same.
class Capabilities {
 public:
  // Each entry is `table`, `table.column` or `*`; a name that is not made of letters, digits, `_`
  // and `$` stands in double quotes: `"odd.name".id`. Names need not exist. Throws InvalidRequest
  // naming the entry that is wrong, and when there are more than 10,000 of them.
  static std::shared_ptr<const Capabilities> parse(std::span<const std::string> reads,
                                                   std::span<const std::string> writes);

  // `sqlite_schema` and its other names are one table.
  bool readsEverything() const noexcept { return reads_.everything; }
  bool readsColumn(std::string_view table, std::string_view column) const;
  // The table, or at least one column of it.
  bool readsSomeOf(std::string_view table) const;

  bool writesEverything() const noexcept { return writes_.everything; }
  bool writesTable(std::string_view table) const;
  bool writesColumn(std::string_view table, std::string_view column) const;

  // Equal capabilities allow the same, however they were written down.
  friend bool operator==(const Capabilities& left, const Capabilities& right) noexcept {
    return left.hash_ == right.hash_ && left.key_ == right.key_;
  }
  std::size_t hash() const noexcept { return hash_; }

 private:
  struct Grant {
    bool wholeTable = false;
    std::set<std::string, std::less<>> columns{};  // Lower case.
  };
  // By table, in lower case.
  struct Grants {
    bool everything = false;
    std::unordered_map<std::string, Grant> tables{};
  };
  struct Entry;

  Capabilities() = default;
  static Grants grantsOf(std::span<const std::string> entries, std::string_view list);
  static const Grant* tryFind(const Grants& grants, std::string_view table);
  static bool covers(const Grants& grants, std::string_view table, std::string_view column);
  static std::string keyOf(const Grants& grants);

  Grants reads_;
  Grants writes_;
  std::string key_;  // The same for equal capabilities only.
  std::size_t hash_ = 0;
};

// ASCII letters in lower case: two names of SQLite's are the same when these are.
std::string foldCase(std::string_view name);

// Whether `table` is one of the four names of SQLite's list of tables, in any case.
bool isSchemaTable(std::string_view table);

}  // namespace schemascript
