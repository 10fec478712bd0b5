// Turns what SQLite reports into an Error: who has to act, which table and columns, in one
// sentence.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "database/authorizer.h"
#include "database/value.h"

struct sqlite3;

namespace schemascript {

class Database;

// Whether parts of values can be in SQLite's text, which must not be shown.
enum class BoundValues : std::uint8_t { None, Some };

struct FailureContext {
  Database& database;
  BoundValues values;
  std::string_view refusal;  // The authorizer's reason, if it was that.
  const StatementFacts& facts;
  std::string_view sql;   // To tell the line of an error.
  std::size_t sqlAt = 0;  // Where in it the statement begins.
  // What describeValues() has answered, for the end of the message; empty: no bound value is shown.
  std::string_view shownValues{};
};

// Throws the error for the last failure of `connection`, whose result was `status`, as the class of
// base/error.h that it is. Reads the schema to find out which foreign key it was.
[[noreturn]] void throwDatabaseError(sqlite3* connection, int status,
                                     const FailureContext& context);

// `[7, "Ada", a blob of 12 bytes]`: of a text 60 bytes at most, and of all no more than fit into
// some 500; empty when there are none.
std::string listValues(std::span<const ValueView> values);

// `; values: ` and what listValues() answers; empty when there are none. For databases that show
// bound values in their messages.
std::string describeValues(std::span<const ValueView> values);

}  // namespace schemascript
