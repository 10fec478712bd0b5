// Statement and Execution: binding without copies, stepping, reading columns.
#include "database/statement.h"

#include <sqlite3.h>

#include <utility>

#include "base/error.h"
#include "base/units.h"
#include "database/allocation.h"
#include "database/database-error.h"
#include "database/database.h"

namespace schemascript {

void FinalizeStatement::operator()(sqlite3_stmt* raw) const noexcept { sqlite3_finalize(raw); }

Statement::Statement(Database& database, StatementHandle handle, Rules rules,
                     std::shared_ptr<const Capabilities> capabilities, StatementFacts facts)
    : database_(&database),
      handle_(std::move(handle)),
      rules_(rules),
      capabilities_(std::move(capabilities)),
      facts_(std::move(facts)) {}

Statement::~Statement() {
  if (!handle_) return;
  const AllocationScope allocations(*database_);
  handle_.reset();
}

Changes Statement::run(std::span<const ValueView> values) {
  Execution execution(*this, values);
  while (execution.step()) {
  }
  return execution.finish();
}

int Statement::columnCount() const noexcept { return sqlite3_column_count(handle_.get()); }
bool Statement::isReadOnly() const noexcept { return sqlite3_stmt_readonly(handle_.get()) != 0; }
std::string_view Statement::sql() const noexcept { return sqlite3_sql(handle_.get()); }

Execution::Execution(Statement& statement, std::span<const ValueView> values)
    : statement_(statement),
      raw_(statement.handle_.get()),
      tracksRowid_(statement.facts_.insertsDirectly()) {
  Database& database = *statement_.database_;
  database.throwIfAbandoned();
  if (!database.isSettled_ && !statement_.isReadOnly()) database.settleBeforeWriting();
  const auto wanted = static_cast<std::size_t>(sqlite3_bind_parameter_count(raw_));
  if (values.size() != wanted) {
    throw invalidRequest(str("the statement has ", wanted, " parameter", wanted == 1 ? "" : "s",
                             ", the request ", values.size()));
  }
  if (statement_.database_->showsBoundValues()) shownValues_ = describeValues(values);
  for (std::size_t i = 0; i < wanted; ++i) {
    const int status = bind(static_cast<int>(i + 1), values[i]);
    if (status == SQLITE_OK) continue;
    reset();  // No destructor runs for what was not constructed.
    if (status == SQLITE_TOOBIG) {
      throw limitExceeded(
          str("parameter ", i + 1, " has ", values[i].bytes.size(), " bytes; valueBytesMax is ",
              formatSize(statement_.database_->limits().valueBytesMax), shownValues_));
    }
    fail(status);
  }
  if (database.wasFull_ && !statement_.isReadOnly()) database.makeRoom();
  sqlite3* const connection = sqlite3_db_handle(raw_);
  totalChangesBefore_ = sqlite3_total_changes64(connection);
  if (statement_.rules_ != Rules::Host) enlist();
  if (!tracksRowid_) return;
  lastInsertRowidBefore_ = sqlite3_last_insert_rowid(connection);
  // So that 0 afterwards means that nothing was inserted; unless the statement itself asks.
  if (!statement_.facts_.readsLastInsertRowid) sqlite3_set_last_insert_rowid(connection, 0);
}

Execution::~Execution() {
  if (previous_ != nullptr) *previous_ = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
  if (!finished_) reset();
}

void Execution::enlist() noexcept {
  previous_ = &statement_.database_->guests_;
  next_ = *previous_;
  *previous_ = this;
  if (next_ != nullptr) next_->previous_ = &next_;
}

int Execution::bind(int index, const ValueView& value) noexcept {
  // SQLite takes a null pointer for NULL, whatever the size says.
  const char* const bytes = value.bytes.data() == nullptr ? "" : value.bytes.data();
  switch (value.kind) {
    case ValueKind::Null:
      return sqlite3_bind_null(raw_, index);
    case ValueKind::Integer:
      return sqlite3_bind_int64(raw_, index, value.integer);
    case ValueKind::Real:
      return sqlite3_bind_double(raw_, index, value.real);
    case ValueKind::Text:
      return sqlite3_bind_text64(raw_, index, bytes, value.bytes.size(), SQLITE_STATIC,
                                 SQLITE_UTF8);
    case ValueKind::Blob:
      return sqlite3_bind_blob64(raw_, index, bytes, value.bytes.size(), SQLITE_STATIC);
  }
  return SQLITE_MISUSE;
}

bool Execution::step() {
  Database& database = *statement_.database_;
  const bool own = statement_.rules_ == Rules::Host;
  if (!own && database.mustNotStep()) database.throwIfInterrupted();
  SS_CHECK(!wasEnded_, "a statement goes on that was ended");
  giveRules();
  const AllocationScope allocations(database);
  int status = sqlite3_step(raw_);
  // A guest's deadline must not keep us from rolling back. SQLite does not forget an interrupt
  // before the last statement of the connection has ended.
  while (own && status == SQLITE_INTERRUPT && sqlite3_column_count(raw_) == 0) {
    sqlite3_reset(raw_);
    database.endGuests();
    status = sqlite3_step(raw_);
  }
  // FTS5 forgets less than was undone, sometimes, and would write what it remembers.
  if (allocations.hasRefused() || status == SQLITE_NOMEM) database.isReusable_ = false;
  if (status == SQLITE_ROW) return true;
  if (status == SQLITE_DONE) return false;
  fail(status);
}

// Before SQLite is called: inside of a step it compiles again when the schema has changed, and at
// the end of a transaction, which can be in a reset, FTS5 compiles statements of its own.
void Execution::giveRules() noexcept {
  Authorizer& authorizer = statement_.database_->authorizer_;
  authorizer.refusal.clear();
  // Once for all rows. Whoever compiles or runs another statement changes it.
  if (authorizer.running == raw_) return;
  authorizer.rules = statement_.rules_;
  authorizer.capabilities = statement_.capabilities_.get();
  authorizer.sql = statement_.sql();
  authorizer.commonTables.clear();
  authorizer.running = raw_;
}

ValueView Execution::column(int index) const {
  switch (sqlite3_column_type(raw_, index)) {
    case SQLITE_INTEGER:
      return ValueView::ofInteger(sqlite3_column_int64(raw_, index));
    case SQLITE_FLOAT:
      return ValueView::ofReal(sqlite3_column_double(raw_, index));
    case SQLITE_TEXT: {
      const AllocationScope allocations(*statement_.database_);
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(raw_, index));
      if (text == nullptr) failWithoutMemory();
      return ValueView::ofText({text, static_cast<std::size_t>(sqlite3_column_bytes(raw_, index))});
    }
    case SQLITE_BLOB: {
      const AllocationScope allocations(*statement_.database_);
      const auto* blob = static_cast<const char*>(sqlite3_column_blob(raw_, index));
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(raw_, index));
      if (blob == nullptr && size != 0) failWithoutMemory();
      return ValueView::ofBlob({blob, size});
    }
    default:
      return ValueView::ofNull();
  }
}

Changes Execution::finish() {
  sqlite3* const connection = sqlite3_db_handle(raw_);
  giveRules();
  const AllocationScope allocations(*statement_.database_);
  const int status = sqlite3_reset(raw_);
  if (status != SQLITE_OK) fail(status);
  Changes changes;
  // sqlite3_changes64() still tells of an earlier statement when this one counts nothing.
  if (sqlite3_total_changes64(connection) != totalChangesBefore_) {
    changes.rows = sqlite3_changes64(connection);
  }
  if (tracksRowid_ && changes.rows != 0) {
    changes.lastInsertRowid = sqlite3_last_insert_rowid(connection);
  }
  reset();
  finished_ = true;
  return changes;
}

void Execution::failWithoutMemory() const { fail(SQLITE_NOMEM); }

void Execution::fail(int status) const {
  Database& database = *statement_.database_;
  if ((status & 0xff) == SQLITE_FULL) database.wasFull_ = true;
  // The host's own wait for a lock ends with the time, too.
  const bool waited = (status & 0xff) == SQLITE_BUSY;
  if (statement_.rules_ != Rules::Host || status == SQLITE_INTERRUPT || waited) {
    database.throwIfInterrupted();
  }
  // A schema that changes all the time is nothing that was refused.
  const std::string_view refusal = (status & 0xff) == SQLITE_SCHEMA
                                       ? std::string_view()
                                       : std::string_view(database.authorizer_.refusal);
  const bool hidesValues = sqlite3_bind_parameter_count(raw_) != 0 && !database.showsBoundValues();
  throwDatabaseError(sqlite3_db_handle(raw_), status,
                     {.database = database,
                      .values = hidesValues ? BoundValues::Some : BoundValues::None,
                      .refusal = refusal,
                      .facts = statement_.facts_,
                      .sql = statement_.sql(),
                      .shownValues = shownValues_});
}

void Execution::reset() noexcept {
  giveRules();
  const AllocationScope allocations(*statement_.database_);
  sqlite3_reset(raw_);
  sqlite3_clear_bindings(raw_);  // They point to the caller's bytes.
  if (!tracksRowid_) return;
  sqlite3* const connection = sqlite3_db_handle(raw_);
  // For the SQL function last_insert_rowid(), which tells of the last statement that did insert.
  if (sqlite3_last_insert_rowid(connection) == 0) {
    sqlite3_set_last_insert_rowid(connection, lastInsertRowidBefore_);
  }
}

}  // namespace schemascript
