// Every budget of a guest, with its unit, its default and its reason, in this one place. The name
// of the field is the name that messages and options use.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace schemascript {

struct Limits {
  // The guest. Enforced by the sandbox.

  // Wall clock of one run. Long enough for a script that imports a file, short enough that a loop
  // without end is noticed by whoever waits for it.
  std::chrono::milliseconds runTimeMax{30'000};
  // Fuel: jumps and calls that QuickJS makes, counted exactly; the same call costs the same each
  // time. Some 50 to 100 million are a second. As many as runTimeMax allows: who wants the same
  // answer on every machine sets it lower.
  std::uint64_t fuelMax = 10'000'000'000;
  // Linear memory of one guest, a multiple of the 64 KiB of a WebAssembly page.
  std::uint64_t memoryBytesMax = 64ull << 20;
  // QuickJS's heap. Below `memoryBytesMax`, so that JavaScript gets an error that it can read
  // before the memory itself ends.
  std::uint64_t heapBytesMax = 56ull << 20;
  // QuickJS's stack. Below the 1 MiB that the module is linked with, for the frames of our own
  // glue.
  std::uint64_t stackBytesMax = 768ull << 10;
  // Timers that wait at the same time. Each takes some 200 bytes of the heap.
  std::uint32_t timersMax = 10'000;
  // What one call writes to the console, as UTF-8. What is more is dropped, and the log says so: a
  // page or two help, a disk full of lines does not.
  std::uint64_t logBytesMax = 1ull << 20;

  // What passes between guest and host. Enforced by the bridge.

  // Time in SQLite of one call, all its statements together; waiting for other writers counts.
  // Below runTimeMax, so that an app gets an error that it can answer.
  std::chrono::milliseconds sqlTimeMax{20'000};
  // Statements of one call; one of a batch counts like any other. More than a script can run in
  // 30 s; who serves strangers sets it lower.
  std::uint64_t statementsMax = 10'000'000;
  // Rows that all statements of one call answer, and their bytes, encoded.
  std::uint64_t callRowsMax = 100'000'000;
  std::uint64_t callResultBytesMax = 16ull << 30;
  // One request. A blob of 24 MB fits in its base64 form; guests of 64 MiB cannot hold much more.
  std::uint64_t requestBytesMax = 32ull << 20;
  // Parameters of all statements of one batch. Each takes 40 bytes on the host, where one byte of
  // the request may be enough for it.
  std::uint32_t batchParametersMax = 1'000'000;
  // Rows of one answer. More than that are read in pieces, through a cursor.
  std::uint64_t resultRowsMax = 100'000;
  // One answer, encoded. It must fit into the guest's memory beside what is made of it.
  std::uint64_t resultBytesMax = 32ull << 20;
  // Transactions that are open inside of each other. Each keeps a savepoint's pages in memory.
  std::uint32_t openTransactionsMax = 32;
  // Rows, encoded, that a cursor answers at once. Enough that the crossing costs nothing beside
  // them, little enough that a guest can hold it many times.
  std::uint64_t cursorBatchBytes = 64ull << 10;
  std::uint64_t cursorBatchRowsMax = 1'000;
  // Cursors that one guest has open. Outside of transactions each has a connection of its own.
  std::uint32_t openCursorsMax = 16;

  // SQLite. Enforced by the database.

  // The text of one statement. SQLite's own default is 1 GB; nobody writes that.
  std::uint32_t sqlBytesMax = 1u << 20;
  // One text or blob, and one row. Larger things belong in files.
  std::uint32_t valueBytesMax = 50'000'000;
  // The file of a database, without its write-ahead log. A disk is full for everybody.
  std::uint64_t databaseBytesMax = 64ull << 30;
  // Temporary files and tables of one connection: large sorts, materialised subqueries, vacuum.
  std::uint64_t temporaryBytesMax = 1ull << 30;
  // Memory that SQLite takes for one connection beyond its page cache: rows being made, sorters,
  // statements.
  std::uint64_t sqliteBytesMax = 256ull << 20;
  // Columns of a table, a result or an ORDER BY. SQLite's default.
  std::uint32_t columnsMax = 2'000;
  // Parameters of one statement. SQLite's default, which Drizzle's many-row inserts rely on.
  std::uint32_t parametersMax = 32'766;
  // The pattern of LIKE and GLOB. Matching takes time with the product of text and pattern: a
  // minute for 50 MB and this. The deadline ends it, because the database has its own LIKE and
  // GLOB; for SQLite's, which nothing ends, 5 bytes would be a second already.
  std::uint32_t likePatternBytesMax = 1'000;
  // Connections to one database. Each takes some file descriptors and a page cache.
  std::uint32_t connectionsMax = 64;
  // Those who wait for their turn to write to one database. More would wait longer than anybody
  // wants to.
  std::uint32_t waitingWritersMax = 1'000;
  // How long a statement waits for another process's write before it is answered `unavailable`.
  std::chrono::milliseconds busyTimeMax{5'000};
  // Prepared statements kept for the next use. An app has some tens; each takes some kilobytes.
  std::uint32_t cachedStatementsMax = 128;
  // Longer statements are not kept: they are lists of rows, which do not come twice.
  std::uint32_t cachedSqlBytesMax = 64u << 10;

  // A schema that is pushed. Enforced by migrate; its text is one of `sqlBytesMax`.

  // CREATE statements. A table with all that belongs to it has some ten.
  std::uint32_t schemaStatementsMax = 5'000;
  // Triggers. SQLite compiles one inside of the other, on a stack that ends after some thousands.
  std::uint32_t schemaTriggersMax = 1'000;
  // Triggers and views that one statement may lead through: all that a schema may have. SQLite
  // compiles them on the thread's stack, each inside of the one before; some thousands would
  // overflow it.
  std::uint32_t nestedTriggersMax = 1'500;
  // Views. One that reads the next is nested like triggers; the time grows with the square of the
  // depth.
  std::uint32_t schemaViewsMax = 500;
  // Tokens of all views and triggers, each with the views that it reads written out. A view that
  // reads another one twice doubles it; ten of those in a row are a thousand.
  std::uint32_t schemaTokensMax = 1'000'000;
};

// The guest itself takes some 6 MB before the script has done anything.
inline constexpr std::uint64_t kMemoryBytesMaxMin = 16ull << 20;
// All that 32-bit WebAssembly can address.
inline constexpr std::uint64_t kMemoryBytesMaxMax = 4ull << 30;

// The limits of a guest with `memoryBytes` in all, of which the heap gets its part. Throws
// InvalidRequest when that is too little or too much; `name` is what the setting is called.
Limits withMemory(Limits limits, std::uint64_t memoryBytes, std::string_view name);

}  // namespace schemascript
