// From SQLite's result codes and texts to sentences, tables and columns. SQLite tells table and
// columns only inside of its English messages, whose forms have been stable for many years; a form
// that is not known is passed on as it is.
#include "database/database-error.h"

#include <sqlite3.h>

#include <algorithm>
#include <iomanip>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/units.h"
#include "database/database.h"

namespace schemascript {
namespace {

// SQLite quotes a token of the statement at its full length.
std::string shortened(std::string_view message) {
  constexpr std::size_t kMessageBytesMax = 500;
  if (message.size() <= kMessageBytesMax) return std::string(message);
  std::size_t end = kMessageBytesMax;
  // Not in the middle of a character.
  while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xc0) == 0x80) --end;
  return str(message.substr(0, end), "...");
}

// The spelling of the code in sqlite3.h. Of the extended codes, those that errors of ours show.
std::string_view sqliteNameOf(int status) {
  switch (status) {
    case SQLITE_CORRUPT_INDEX:
      return "SQLITE_CORRUPT_INDEX";
    case SQLITE_CORRUPT_VTAB:
      return "SQLITE_CORRUPT_VTAB";
    case SQLITE_IOERR_FSYNC:
      return "SQLITE_IOERR_FSYNC";
    case SQLITE_IOERR_LOCK:
      return "SQLITE_IOERR_LOCK";
    case SQLITE_IOERR_NOMEM:
      return "SQLITE_IOERR_NOMEM";
    case SQLITE_IOERR_READ:
      return "SQLITE_IOERR_READ";
    case SQLITE_IOERR_SHMMAP:
      return "SQLITE_IOERR_SHMMAP";
    case SQLITE_IOERR_SHORT_READ:
      return "SQLITE_IOERR_SHORT_READ";
    case SQLITE_IOERR_TRUNCATE:
      return "SQLITE_IOERR_TRUNCATE";
    case SQLITE_IOERR_WRITE:
      return "SQLITE_IOERR_WRITE";
    case SQLITE_READONLY_DBMOVED:
      return "SQLITE_READONLY_DBMOVED";
    case SQLITE_BUSY_SNAPSHOT:
      return "SQLITE_BUSY_SNAPSHOT";
    case SQLITE_CONSTRAINT_CHECK:
      return "SQLITE_CONSTRAINT_CHECK";
    case SQLITE_CONSTRAINT_DATATYPE:
      return "SQLITE_CONSTRAINT_DATATYPE";
    case SQLITE_CONSTRAINT_FOREIGNKEY:
      return "SQLITE_CONSTRAINT_FOREIGNKEY";
    case SQLITE_CONSTRAINT_NOTNULL:
      return "SQLITE_CONSTRAINT_NOTNULL";
    case SQLITE_CONSTRAINT_PRIMARYKEY:
      return "SQLITE_CONSTRAINT_PRIMARYKEY";
    case SQLITE_CONSTRAINT_ROWID:
      return "SQLITE_CONSTRAINT_ROWID";
    case SQLITE_CONSTRAINT_TRIGGER:
      return "SQLITE_CONSTRAINT_TRIGGER";
    case SQLITE_CONSTRAINT_UNIQUE:
      return "SQLITE_CONSTRAINT_UNIQUE";
    case SQLITE_CONSTRAINT_VTAB:
      return "SQLITE_CONSTRAINT_VTAB";
    default:
      break;
  }
  switch (status & 0xff) {
    case SQLITE_ERROR:
      return "SQLITE_ERROR";
    case SQLITE_INTERNAL:
      return "SQLITE_INTERNAL";
    case SQLITE_PERM:
      return "SQLITE_PERM";
    case SQLITE_ABORT:
      return "SQLITE_ABORT";
    case SQLITE_BUSY:
      return "SQLITE_BUSY";
    case SQLITE_LOCKED:
      return "SQLITE_LOCKED";
    case SQLITE_NOMEM:
      return "SQLITE_NOMEM";
    case SQLITE_READONLY:
      return "SQLITE_READONLY";
    case SQLITE_INTERRUPT:
      return "SQLITE_INTERRUPT";
    case SQLITE_IOERR:
      return "SQLITE_IOERR";
    case SQLITE_CORRUPT:
      return "SQLITE_CORRUPT";
    case SQLITE_FULL:
      return "SQLITE_FULL";
    case SQLITE_CANTOPEN:
      return "SQLITE_CANTOPEN";
    case SQLITE_PROTOCOL:
      return "SQLITE_PROTOCOL";
    case SQLITE_SCHEMA:
      return "SQLITE_SCHEMA";
    case SQLITE_TOOBIG:
      return "SQLITE_TOOBIG";
    case SQLITE_CONSTRAINT:
      return "SQLITE_CONSTRAINT";
    case SQLITE_MISMATCH:
      return "SQLITE_MISMATCH";
    case SQLITE_MISUSE:
      return "SQLITE_MISUSE";
    case SQLITE_AUTH:
      return "SQLITE_AUTH";
    case SQLITE_RANGE:
      return "SQLITE_RANGE";
    case SQLITE_NOTADB:
      return "SQLITE_NOTADB";
    default:
      return "SQLITE_UNKNOWN";
  }
}

std::string withCode(std::string_view sentence, const DatabaseErrorDetail& detail) {
  return str(sentence, " (", detail.sqliteCode, ")");
}

// `text` without `prefix`, or nothing if it does not begin so.
std::optional<std::string_view> tryAfter(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  return text.substr(prefix.size());
}

std::string joined(const std::vector<std::string>& names, std::string_view separator) {
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += separator;
    text += name;
  }
  return text;
}

// Fills in table and columns from `users.first, users.last`.
void readColumns(std::string_view list, const StatementFacts& facts, DatabaseErrorDetail& detail) {
  // Names may hold dots: a table that the statement writes is the better guess than the first dot.
  detail.table = std::string(list.substr(0, list.find('.')));
  for (const WrittenTable& table : facts.written) {
    if (list.starts_with(str(table.name, "."))) detail.table = table.name;
  }
  const std::string prefix = str(detail.table, ".");
  const std::string separator = str(", ", prefix);
  if (!list.starts_with(prefix)) return;
  list.remove_prefix(prefix.size());
  for (;;) {
    const auto end = list.find(separator);
    detail.columns.emplace_back(list.substr(0, end));
    if (end == std::string_view::npos) return;
    list.remove_prefix(end + separator.size());
  }
}

// The table that the statement itself writes; nothing if it is not exactly one.
const WrittenTable* tryDirectTable(const StatementFacts& facts) {
  const WrittenTable* found = nullptr;
  for (const WrittenTable& table : facts.written) {
    if (!table.direct) continue;
    if (found != nullptr) return nullptr;
    found = &table;
  }
  return found;
}

std::string tableName(const StatementFacts& facts) {
  const WrittenTable* table = tryDirectTable(facts);
  return table == nullptr ? std::string() : table->name;
}

std::string uniqueSentence(const DatabaseErrorDetail& detail) {
  std::vector<std::string> names;
  for (const std::string& column : detail.columns) names.push_back(str(detail.table, ".", column));
  return str(joined(names, " and "), " must be unique", names.size() > 1 ? " together" : "");
}

Error uniqueError(std::string_view message, const StatementFacts& facts,
                  DatabaseErrorDetail detail) {
  detail.violation = detail.extendedCode == SQLITE_CONSTRAINT_UNIQUE ? "unique" : "primary-key";
  const auto list = tryAfter(message, "UNIQUE constraint failed: ");
  if (!list) return {ErrorCode::Conflict, withCode(message, detail), detail};
  if (const auto index = tryAfter(*list, "index '")) {
    detail.constraint = std::string(index->substr(0, index->size() - 1));
    detail.table = tableName(facts);
    return {ErrorCode::Conflict,
            withCode(str("rows must be unique in the index ", detail.constraint), detail), detail};
  }
  readColumns(*list, facts, detail);
  return {ErrorCode::Conflict, withCode(uniqueSentence(detail), detail), detail};
}

Error notNullError(std::string_view message, const StatementFacts& facts,
                   DatabaseErrorDetail detail) {
  detail.violation = "not-null";
  std::string sentence(message);
  if (const auto column = tryAfter(message, "NOT NULL constraint failed: ")) {
    readColumns(*column, facts, detail);
    sentence = str(*column, " must not be NULL");
  }
  return {ErrorCode::Conflict, withCode(sentence, detail), detail};
}

Error checkError(std::string_view message, const StatementFacts& facts,
                 DatabaseErrorDetail detail) {
  detail.violation = "check";
  detail.table = tableName(facts);
  std::string sentence(message);
  if (const auto check = tryAfter(message, "CHECK constraint failed: ")) {
    detail.constraint = std::string(*check);
    sentence = str(detail.table.empty() ? "the row" : str("the row of ", detail.table),
                   " does not pass CHECK ", *check);
  }
  return {ErrorCode::Conflict, withCode(sentence, detail), detail};
}

// `cannot store TEXT value in INTEGER column users.age`, from a STRICT table.
Error typeError(std::string_view message, const StatementFacts& facts, DatabaseErrorDetail detail) {
  detail.violation = "type";
  std::string sentence(message);
  constexpr std::string_view kValue = " value in ";
  constexpr std::string_view kColumn = " column ";
  const auto stored = tryAfter(message, "cannot store ");
  const auto value = stored ? stored->find(kValue) : std::string_view::npos;
  const auto column = stored ? stored->find(kColumn) : std::string_view::npos;
  if (value < column && column != std::string_view::npos) {
    const auto name = stored->substr(column + kColumn.size());
    const auto wanted = stored->substr(value + kValue.size(), column - value - kValue.size());
    readColumns(name, facts, detail);
    sentence = str(name, " must be ", wanted, ", not ", stored->substr(0, value));
  }
  return {ErrorCode::Conflict, withCode(sentence, detail), detail};
}

// One foreign key: columns of a table that name columns of another.
struct ForeignKey {
  std::string table;
  std::vector<std::string> columns;
  std::string parent;
  std::vector<std::string> parentColumns;
};

std::string describe(const ForeignKey& key) {
  std::vector<std::string> columns;
  for (const std::string& column : key.columns) columns.push_back(str(key.table, ".", column));
  return joined(columns, " and ");
}

// The foreign keys that `table` has, or with `sql` otherwise, those that lead to it.
std::vector<ForeignKey> foreignKeys(Database& database, std::string_view sql,
                                    std::string_view table) {
  std::vector<ForeignKey> keys;
  Statement statement = database.prepare(sql, Rules::Host);
  const ValueView name = ValueView::ofText(table);
  Execution execution(statement, {&name, 1});
  while (execution.step()) {
    // Columns: table, parent, column, parent column, number of the column within its key.
    if (execution.column(4).integer == 0) {
      keys.push_back({.table = std::string(execution.column(0).bytes),
                      .columns = {},
                      .parent = std::string(execution.column(1).bytes),
                      .parentColumns = {}});
    }
    keys.back().columns.emplace_back(execution.column(2).bytes);
    keys.back().parentColumns.emplace_back(execution.column(3).bytes);
  }
  return keys;
}

std::vector<ForeignKey> keysOf(Database& database, std::string_view table) {
  return foreignKeys(database,
                     "select ?1, \"table\", \"from\", coalesce(\"to\", ''), seq"
                     " from pragma_foreign_key_list(?1) order by id desc, seq",
                     table);
}

std::vector<ForeignKey> keysTo(Database& database, std::string_view table) {
  return foreignKeys(database,
                     "select m.name, f.\"table\", f.\"from\", coalesce(f.\"to\", ''), f.seq"
                     " from sqlite_schema as m, pragma_foreign_key_list(m.name) as f"
                     " where m.type = 'table' and f.\"table\" = ?1 collate nocase"
                     " order by m.name, f.id desc, f.seq",
                     table);
}

std::string missingParent(const ForeignKey& key) {
  std::vector<std::string> parents;
  for (const std::string& column : key.parentColumns) {
    parents.push_back(column.empty() ? key.parent : str(key.parent, ".", column));
  }
  return str(describe(key), " must name an existing ", joined(parents, " and "));
}

std::string stillReferenced(std::string_view table, const std::vector<ForeignKey>& keys) {
  std::vector<std::string> names;
  names.reserve(keys.size());
  for (const ForeignKey& key : keys) names.push_back(describe(key));
  return str("a row of ", table, " is still named by ", joined(names, " or "));
}

// Which foreign key it was SQLite does not tell; the written table leaves one, or a few.
std::string foreignKeySentence(Database& database, const WrittenTable& table,
                               DatabaseErrorDetail& detail) {
  std::vector<ForeignKey> own;
  std::vector<ForeignKey> others;
  if (table.inserts || table.updates) own = keysOf(database, table.name);
  if (table.deletes || table.updates) others = keysTo(database, table.name);
  detail.table = table.name;
  if (own.size() == 1 && others.empty()) {
    detail.columns = own.front().columns;
    return missingParent(own.front());
  }
  if (own.empty() && !others.empty()) return stillReferenced(table.name, others);
  if (own.empty()) return str("a row of ", table.name, " does not satisfy a foreign key");
  std::vector<std::string> possible;
  for (const ForeignKey& key : own) possible.push_back(missingParent(key));
  if (!others.empty()) possible.push_back(stillReferenced(table.name, others));
  return joined(possible, ", or ");
}

Error foreignKeyError(const FailureContext& context, DatabaseErrorDetail detail) {
  detail.violation = "foreign-key";
  std::string sentence = "a deferred foreign key is not satisfied";
  if (const WrittenTable* table = tryDirectTable(context.facts)) {
    sentence = str("a row of ", table->name, " does not satisfy a foreign key");
    try {
      sentence = foreignKeySentence(context.database, *table, detail);
    } catch (const Error&) {
      // The schema could not be read; the shorter sentence is still true.
    }
  }
  return {ErrorCode::Conflict, withCode(sentence, detail), detail};
}

Error constraintError(const FailureContext& context, std::string_view message,
                      DatabaseErrorDetail detail) {
  switch (detail.extendedCode) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      return uniqueError(message, context.facts, std::move(detail));
    case SQLITE_CONSTRAINT_NOTNULL:
      return notNullError(message, context.facts, std::move(detail));
    case SQLITE_CONSTRAINT_CHECK:
      return checkError(message, context.facts, std::move(detail));
    case SQLITE_CONSTRAINT_DATATYPE:
      return typeError(message, context.facts, std::move(detail));
    case SQLITE_CONSTRAINT_FOREIGNKEY:
      return foreignKeyError(context, std::move(detail));
    default:
      // RAISE() in a trigger, whose text its author wrote.
      return {ErrorCode::Conflict, withCode(message, detail), detail};
  }
}

// SQLite's own texts quote identifiers of the statement, but also parts of values: the path of
// json_extract(), the words of a full-text search.
std::string withoutValues(std::string_view message) {
  std::string text;
  char quote = 0;
  for (const char letter : message) {
    if (quote == 0) {
      text += letter;
      if (letter == '"' || letter == '\'') {
        quote = letter;
        text += "...";
      }
    } else if (letter == quote) {
      text += letter;
      quote = 0;
    }
  }
  // `no such column: word`, `unknown special query: word`
  if (const auto colon = text.rfind(": ");
      quote == 0 && colon != std::string::npos && !text.starts_with("fts5: ")) {
    text.resize(colon);
  }
  return text;
}

// What SQLite adds to the error of a misspelt column in double quotes.
constexpr std::string_view kIsAString = " - should this be a string literal in single-quotes?";

// ` at line 2, column 7`, counted in characters from 1; empty when SQLite does not know.
std::string positionOf(int offset, const FailureContext& context) {
  if (offset < 0) return {};
  const std::string_view before =
      context.sql.substr(0, context.sqlAt + static_cast<std::size_t>(offset));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::string_view last = before.substr(before.rfind('\n') + 1);
  const auto isFirstByte = [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0) != 0x80;
  };
  const auto column = std::count_if(last.begin(), last.end(), isFirstByte) + 1;
  return str(" at line ", line, ", column ", column);
}

Error statementError(const FailureContext& context, std::string_view message, int offset,
                     DatabaseErrorDetail detail) {
  if (context.values == BoundValues::Some) {
    return {ErrorCode::InvalidRequest, withoutValues(message), std::move(detail)};
  }
  std::string_view hint;
  if (message.ends_with(kIsAString)) {
    hint = "; a text is written in single quotes";
    message.remove_suffix(kIsAString.size());
  }
  return {ErrorCode::InvalidRequest, str(message, positionOf(offset, context), hint),
          std::move(detail)};
}

Error busyError(const FailureContext& context, const DatabaseErrorDetail& detail) {
  if (detail.extendedCode == SQLITE_BUSY_SNAPSHOT) {
    return {ErrorCode::Unavailable,
            withCode("this transaction read before somebody else wrote, so it cannot write any "
                     "more; run it again, or begin it with behavior \"immediate\"",
                     detail),
            detail};
  }
  const Database& database = context.database;
  return {ErrorCode::Unavailable,
          withCode(str("another process holds ", database.name(),
                       " for longer than busyTimeMax, which is ",
                       formatDuration(database.limits().busyTimeMax),
                       "; try again later, or end that process"),
                   detail),
          detail};
}

// What whoever runs the machine can do about `status`; empty when it is nothing of the machine's.
std::string machineSentence(const Database& database, int status, Shortage shortage) {
  const std::string& name = database.name();
  const bool isOfFiles = (status & 0xff) == SQLITE_CANTOPEN || (status & 0xff) == SQLITE_IOERR;
  if (isOfFiles && status != SQLITE_IOERR_NOMEM && shortage == Shortage::TemporaryFile) {
    return str("no temporary file can be made for ", name,
               "; let SQLITE_TMPDIR name a folder that can be written, and look after the number "
               "of open files");
  }
  if (status == SQLITE_IOERR_NOMEM) status = SQLITE_NOMEM;
  switch (status & 0xff) {
    case SQLITE_NOMEM:
      return "there is no memory left for this; try again later, or with less";
    case SQLITE_IOERR:
      return str("reading or writing ", name, " failed; look after its disk and try again");
    case SQLITE_CORRUPT:
      return str(name,
                 " is damaged; restore it from a backup, or try the .recover command of the "
                 "sqlite3 program");
    case SQLITE_NOTADB:
      return str(name, " is not a SQLite database, or not any more; restore it from a backup");
    case SQLITE_CANTOPEN:
      return str("a file of ", name,
                 " cannot be opened; look after its folder's permissions and "
                 "the number of open files, and try again");
    case SQLITE_PERM:
      return str("a file of ", name, " may not be used; change its permissions and try again");
    case SQLITE_PROTOCOL:
      return str("other processes have kept the locks of ", name, " busy; try again");
    case SQLITE_SCHEMA:
      return str("other connections keep changing the schema of ", name, "; try again");
    case SQLITE_READONLY:
      if (status != SQLITE_READONLY_DBMOVED) return {};
      return str(name, " was moved or removed while it was open; open it again");
    default:
      return {};
  }
}

// The table whose ids are used up, of those that a statement writes; empty when there is none.
// SQLite says of it that the database is full.
std::string tableWithoutIds(Database& database, const StatementFacts& facts) {
  for (const WrittenTable& table : facts.written) {
    if (!table.inserts) continue;
    Statement query = database.prepare(
        "select 1 from sqlite_sequence where name = ? and seq >= 9223372036854775807", Rules::Host);
    const ValueView name = ValueView::ofText(table.name);
    Execution execution(query, {&name, 1});
    if (execution.step()) return table.name;
  }
  return {};
}

Error fullError(const FailureContext& context, Shortage shortage, DatabaseErrorDetail detail) {
  Database& database = context.database;
  const auto error = [&detail](ErrorCode code, const std::string& sentence) {
    return Error(code, withCode(sentence, detail), detail);
  };
  switch (shortage) {
    case Shortage::TemporaryBytes:
      return error(ErrorCode::LimitExceeded,
                   str("the temporary files of this statement are larger than temporaryBytesMax (",
                       formatSize(database.limits().temporaryBytesMax),
                       "); let it sort less, or use an index"));
    case Shortage::TemporaryDisk:
      return error(ErrorCode::Unavailable,
                   str("there is no space left for temporary files of ", database.name(),
                       "; free some on their disk and try again"));
    case Shortage::Disk: {
      const MemoryFile* const memory = database.memory();
      return error(ErrorCode::Unavailable, memory == nullptr
                                               ? str("there is no space left for ", database.name(),
                                                     "; free some on its disk and try again")
                                               : str(database.name(), " is full: bytesMax is ",
                                                     formatSize(memory->options().bytesMax),
                                                     "; delete what is not needed, or allow more"));
    }
    default:
      break;
  }
  try {
    std::string table = tableWithoutIds(database, context.facts);
    if (!table.empty()) {
      const std::string sentence =
          str("the ids of ", table, " are used up: the largest one of all was inserted");
      detail.table = std::move(table);
      return error(ErrorCode::Conflict, sentence);
    }
  } catch (const Error&) {
    // No table has such ids.
  }
  return error(ErrorCode::LimitExceeded,
               str(database.name(), " would be larger than databaseBytesMax (",
                   formatSize(database.limits().databaseBytesMax),
                   "); delete what is not needed, or allow more"));
}

// Empty when the statement was not refused memory by a limit of its own.
std::string memorySentence(const Database& database, int status, Shortage shortage) {
  if (status != SQLITE_IOERR_NOMEM && (status & 0xff) != SQLITE_NOMEM) return {};
  if (shortage != Shortage::SqliteBytes) return {};
  return str("SQLite takes more memory for this than sqliteBytesMax (",
             formatSize(database.limits().sqliteBytesMax), "); ask for less at once");
}

// What a session with capabilities was refused though its statement does not ask for it: which of
// the foreign keys between the written tables and others does. Empty when none does.
std::string foreignKeyHint(Database& database, const StatementFacts& facts,
                           std::string_view refusal) {
  const auto concerns = [refusal](std::string_view table) {
    return refusal.find(str(" ", table, ".")) != std::string_view::npos ||
           refusal.find(str(" ", table, " ")) != std::string_view::npos;
  };
  for (const WrittenTable& table : facts.written) {
    std::vector<ForeignKey> keys = keysOf(database, table.name);
    std::vector<ForeignKey> others = keysTo(database, table.name);
    keys.insert(keys.end(), std::make_move_iterator(others.begin()),
                std::make_move_iterator(others.end()));
    for (const ForeignKey& key : keys) {
      // The written table's own refusal is the statement's.
      if (key.table == table.name && key.parent == table.name) continue;
      if (!concerns(key.table == table.name ? key.parent : key.table)) continue;
      return str("; the foreign key of ", describe(key),
                 " does that as well, which needs the right to it where the statement names the "
                 "table");
    }
  }
  return {};
}

Error refusedError(const FailureContext& context, std::string sentence,
                   DatabaseErrorDetail detail) {
  if (!context.facts.written.empty() && sentence.ends_with(" for this session")) {
    try {
      sentence += foreignKeyHint(context.database, context.facts, sentence);
    } catch (const Error&) {
      // The schema could not be read; the shorter sentence is still true.
    }
  }
  return {ErrorCode::NotAllowed, std::move(sentence), std::move(detail)};
}

void appendText(std::string& to, std::string_view text) {
  constexpr std::size_t kTextBytesMax = 60;
  constexpr char kDigits[] = "0123456789abcdef";
  std::size_t end = std::min(text.size(), kTextBytesMax);
  // Not in the middle of a character.
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) {
    --end;
  }
  to += '"';
  for (const char letter : text.substr(0, end)) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte < 0x20 || byte == 0x7f) {
      to += "\\u00";
      to += kDigits[byte >> 4];
      to += kDigits[byte & 15];
    } else {
      if (letter == '"' || letter == '\\') to += '\\';
      to += letter;
    }
  }
  to += '"';
  if (end < text.size()) to += str("... (", text.size(), " bytes)");
}

void appendValue(std::string& to, const ValueView& value) {
  switch (value.kind) {
    case ValueKind::Null:
      to += "null";
      return;
    case ValueKind::Integer:
      to += std::to_string(value.integer);
      return;
    case ValueKind::Real:
      to += str(std::setprecision(17), value.real);
      return;
    case ValueKind::Text:
      appendText(to, value.bytes);
      return;
    case ValueKind::Blob:
      to += str("a blob of ", value.bytes.size(), " bytes");
      return;
  }
}

Error databaseError(sqlite3* connection, int status, const FailureContext& context) {
  // Copied first: reading the schema overwrites them.
  const Shortage shortage = context.database.use().shortage;
  const std::string message = shortened(sqlite3_errmsg(connection));
  const int offset = sqlite3_error_offset(connection);
  DatabaseErrorDetail detail{.sqliteCode = std::string(sqliteNameOf(status)),
                             .extendedCode = status};
  // A refused CREATE TABLE can come as SQLITE_SCHEMA.
  if ((status & 0xff) == SQLITE_SCHEMA && !context.refusal.empty()) {
    return refusedError(context, std::string(context.refusal), std::move(detail));
  }
  const std::string memory = memorySentence(context.database, status, shortage);
  if (!memory.empty()) return {ErrorCode::LimitExceeded, withCode(memory, detail), detail};
  const std::string machine = machineSentence(context.database, status, shortage);
  if (!machine.empty()) return {ErrorCode::Unavailable, withCode(machine, detail), detail};
  switch (status & 0xff) {
    case SQLITE_CONSTRAINT:
      return constraintError(context, message, std::move(detail));
    case SQLITE_MISMATCH:
      if (context.facts.written.empty()) {
        return {ErrorCode::InvalidRequest, withCode(message, detail), detail};
      }
      detail.violation = "type";
      detail.table = tableName(context.facts);
      return {ErrorCode::Conflict,
              withCode(
                  str("an INTEGER PRIMARY KEY",
                      detail.table.empty() ? "" : str(" of ", detail.table), " must be an integer"),
                  detail),
              detail};
    case SQLITE_AUTH:
      return refusedError(context, context.refusal.empty() ? message : std::string(context.refusal),
                          std::move(detail));
    case SQLITE_ERROR:
      // A function that is refused is no error of its own to SQLite.
      if (!context.refusal.empty() && message.starts_with("not authorized")) {
        return refusedError(context, std::string(context.refusal), std::move(detail));
      }
      return statementError(context, message, offset, std::move(detail));
    case SQLITE_RANGE:
      return statementError(context, message, offset, std::move(detail));
    case SQLITE_BUSY:
      return busyError(context, detail);
    case SQLITE_LOCKED:
    case SQLITE_ABORT:
      return {ErrorCode::Conflict, withCode(message, detail), detail};
    case SQLITE_READONLY:
      return {ErrorCode::NotAllowed, withCode("the database is open for reading only", detail),
              detail};
    case SQLITE_TOOBIG:
      return {ErrorCode::LimitExceeded,
              withCode(str("a value or a row is longer than valueBytesMax (",
                           formatSize(context.database.limits().valueBytesMax), ")"),
                       detail),
              detail};
    case SQLITE_FULL:
      return fullError(context, shortage, std::move(detail));
    default:
      break;
  }
  return {ErrorCode::Internal, withCode(message, detail), detail};
}

}  // namespace

void throwDatabaseError(sqlite3* connection, int status, const FailureContext& context) {
  const Error error = databaseError(connection, status, context);
  throwError(error.code(), str(error.message(), context.shownValues), *error.detail());
}

std::string listValues(std::span<const ValueView> values) {
  constexpr std::size_t kBytesMax = 400;
  if (values.empty()) return {};
  std::string text = "[";
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i != 0) text += ", ";
    if (text.size() > kBytesMax) {
      text += str("and ", values.size() - i, " more");
      break;
    }
    appendValue(text, values[i]);
  }
  return text += ']';
}

std::string describeValues(std::span<const ValueView> values) {
  return values.empty() ? std::string() : "; values: " + listValues(values);
}

}  // namespace schemascript
