// The functions that the linker puts between our libraries and SQLite (--wrap).
#include "fault-calls.h"

#include <sqlite3.h>

#include <optional>

namespace schemascript::faults {
namespace {

std::optional<CallFault> armed;
std::uint64_t calls = 0;
bool fired = false;

// True when this is the call that fails.
bool fails(Call call) {
  if (!armed || armed->call != call || fired) return false;
  fired = ++calls == armed->nth;
  return fired;
}

}  // namespace

void arm(const CallFault& fault) {
  armed = fault;
  calls = 0;
  fired = false;
}

bool disarm() {
  armed.reset();
  return fired;
}

// What is one line for most functions: the status instead of the call.
#define SS_STATUS(CALL, NAME, PARAMETERS, ARGUMENTS)                      \
  extern "C" int __real_sqlite3_##NAME PARAMETERS;                        \
  extern "C" int __wrap_sqlite3_##NAME PARAMETERS;                        \
  extern "C" int __wrap_sqlite3_##NAME PARAMETERS {                       \
    return fails(CALL) ? armed->status : __real_sqlite3_##NAME ARGUMENTS; \
  }

// Where a null pointer says that there is no memory.
#define SS_POINTER(CALL, TYPE, NAME, PARAMETERS, ARGUMENTS)         \
  extern "C" TYPE __real_sqlite3_##NAME PARAMETERS;                 \
  extern "C" TYPE __wrap_sqlite3_##NAME PARAMETERS;                 \
  extern "C" TYPE __wrap_sqlite3_##NAME PARAMETERS {                \
    return fails(CALL) ? nullptr : __real_sqlite3_##NAME ARGUMENTS; \
  }

using Free = void (*)(void*);
using Context = sqlite3_context;
using Function = void (*)(Context*, int, sqlite3_value**);
using Final = void (*)(Context*);
using Row = int (*)(void*, int, char**, char**);

SS_STATUS(Call::BindBlob, bind_blob64,
          (sqlite3_stmt * statement, int index, const void* bytes, sqlite3_uint64 size, Free free),
          (statement, index, bytes, size, free))
SS_STATUS(Call::BindDouble, bind_double, (sqlite3_stmt * statement, int index, double value),
          (statement, index, value))
SS_STATUS(Call::BindInteger, bind_int64, (sqlite3_stmt * statement, int index, sqlite3_int64 value),
          (statement, index, value))
SS_STATUS(Call::BindNull, bind_null, (sqlite3_stmt * statement, int index), (statement, index))
SS_STATUS(Call::BindText, bind_text64,
          (sqlite3_stmt * statement, int index, const char* text, sqlite3_uint64 size, Free free,
           unsigned char encoding),
          (statement, index, text, size, free, encoding))
SS_STATUS(Call::BindPointer, bind_pointer,
          (sqlite3_stmt * statement, int index, void* pointer, const char* type, Free free),
          (statement, index, pointer, type, free))
SS_STATUS(Call::PrepareOwn, prepare_v2,
          (sqlite3 * connection, const char* sql, int size, sqlite3_stmt** statement,
           const char** rest),
          (connection, sql, size, statement, rest))
SS_STATUS(Call::CreateFunction, create_function_v2,
          (sqlite3 * connection, const char* name, int arguments, int flags, void* self,
           Function function, Function step, Final final, Free free),
          (connection, name, arguments, flags, self, function, step, final, free))
SS_STATUS(Call::Execute, exec,
          (sqlite3 * connection, const char* sql, Row row, void* self, char** message),
          (connection, sql, row, self, message))
SS_STATUS(Call::Checkpoint, wal_checkpoint_v2,
          (sqlite3 * connection, const char* schema, int mode, int* inLog, int* moved),
          (connection, schema, mode, inLog, moved))

SS_STATUS(Call::BackupStep, backup_step, (sqlite3_backup * backup, int pages), (backup, pages))

SS_POINTER(Call::BackupInit, sqlite3_backup*, backup_init,
           (sqlite3 * to, const char* toSchema, sqlite3* from, const char* fromSchema),
           (to, toSchema, from, fromSchema))
SS_POINTER(Call::ColumnBlob, const void*, column_blob, (sqlite3_stmt * statement, int index),
           (statement, index))
SS_POINTER(Call::ColumnText, const unsigned char*, column_text,
           (sqlite3_stmt * statement, int index), (statement, index))
SS_POINTER(Call::Allocate, void*, malloc64, (sqlite3_uint64 size), (size))
SS_POINTER(Call::Reallocate, void*, realloc64, (void* bytes, sqlite3_uint64 size), (bytes, size))
SS_POINTER(Call::ValueBlob, const void*, value_blob, (sqlite3_value * value), (value))
SS_POINTER(Call::ValueCopy, sqlite3_value*, value_dup, (const sqlite3_value* value), (value))

extern "C" int __real_sqlite3_open_v2(const char*, sqlite3**, int, const char*);
extern "C" int __wrap_sqlite3_open_v2(const char* file, sqlite3** connection, int flags,
                                      const char* vfs);
// A connection is answered with most failures, and must be closed; without memory there is none.
extern "C" int __wrap_sqlite3_open_v2(const char* file, sqlite3** connection, int flags,
                                      const char* vfs) {
  if (!fails(Call::Open)) return __real_sqlite3_open_v2(file, connection, flags, vfs);
  *connection = nullptr;
  if (armed->status != SQLITE_NOMEM) __real_sqlite3_open_v2(file, connection, flags, vfs);
  return armed->status;
}

extern "C" int __real_sqlite3_prepare_v3(sqlite3*, const char*, int, unsigned, sqlite3_stmt**,
                                         const char**);
extern "C" int __wrap_sqlite3_prepare_v3(sqlite3* connection, const char* sql, int size,
                                         unsigned flags, sqlite3_stmt** statement,
                                         const char** rest);
extern "C" int __wrap_sqlite3_prepare_v3(sqlite3* connection, const char* sql, int size,
                                         unsigned flags, sqlite3_stmt** statement,
                                         const char** rest) {
  if (!fails(Call::Prepare)) {
    return __real_sqlite3_prepare_v3(connection, sql, size, flags, statement, rest);
  }
  *statement = nullptr;
  *rest = sql;
  return armed->status;
}

extern "C" int __real_sqlite3_step(sqlite3_stmt*);
extern "C" int __wrap_sqlite3_step(sqlite3_stmt* statement);
extern "C" int __wrap_sqlite3_step(sqlite3_stmt* statement) {
  if (!fails(Call::Step)) return __real_sqlite3_step(statement);
  if (armed->transaction == Transaction::IsRolledBack) {
    sqlite3* const connection = sqlite3_db_handle(statement);
    __real_sqlite3_exec(connection, "rollback", nullptr, nullptr, nullptr);
  }
  return armed->status;
}

extern "C" int __real_sqlite3_reset(sqlite3_stmt*);
extern "C" int __wrap_sqlite3_reset(sqlite3_stmt* statement);
// It resets in any case. What fails only now is what a statement does that had rows left.
extern "C" int __wrap_sqlite3_reset(sqlite3_stmt* statement) {
  const bool hadRowsLeft = sqlite3_stmt_busy(statement) != 0;
  const int status = __real_sqlite3_reset(statement);
  return hadRowsLeft && fails(Call::Reset) ? armed->status : status;
}

extern "C" int __real_sqlite3_db_config(sqlite3*, int, ...);
extern "C" int __wrap_sqlite3_db_config(sqlite3* connection, int name, int value, int* present);
// Variadic in SQLite, but of this one form in our libraries.
extern "C" int __wrap_sqlite3_db_config(sqlite3* connection, int name, int value, int* present) {
  if (fails(Call::Configure)) return armed->status;
  return __real_sqlite3_db_config(connection, name, value, present);
}

}  // namespace schemascript::faults
