// Lets the nth call of a SQLite function fail, once. Only calls that our libraries make are
// counted.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace schemascript::faults {

// In the order of kCallNames.
enum class Call : std::uint8_t {
  BindBlob,
  BindDouble,
  BindInteger,
  BindNull,
  BindText,
  ColumnBlob,
  ColumnText,
  CreateFunction,
  Configure,
  Execute,
  Allocate,
  Open,
  Prepare,
  Reallocate,
  Reset,
  Step,
  ValueBlob,
  ValueCopy,
  Checkpoint,
  BindPointer,
  PrepareOwn,
  BackupInit,
  BackupStep,
};

// Without `sqlite3_`.
inline constexpr std::array<std::string_view, 23> kCallNames{
    "bind_blob64", "bind_double", "bind_int64",         "bind_null",         "bind_text64",
    "column_blob", "column_text", "create_function_v2", "db_config",         "exec",
    "malloc64",    "open_v2",     "prepare_v3",         "realloc64",         "reset",
    "step",        "value_blob",  "value_dup",          "wal_checkpoint_v2", "bind_pointer",
    "prepare_v2",  "backup_init", "backup_step"};

// Whether SQLite takes such a failure for the end of the transaction: it does so of its own accord,
// and which errors do it depends on what it was doing.
enum class Transaction : std::uint8_t { Stays, IsRolledBack };

struct CallFault {
  Call call = Call::Step;
  std::uint64_t nth = 1;  // From 1.
  int status = 0;         // What it answers; where a function answers a pointer, null.
  Transaction transaction = Transaction::Stays;
};

// Counts anew from now on. One thread only, as all of this.
void arm(const CallFault& fault);
// Answers whether the call has failed.
bool disarm();

}  // namespace schemascript::faults
