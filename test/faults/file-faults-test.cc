// The disk: operations on the database's files that fail once, or until somebody does something.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <iostream>

#include "base/testing.h"
#include "fault-files.h"
#include "script.h"

namespace schemascript::faults {
namespace {

struct Case {
  FileOperation operation;
  FilePart part;
  int status;
  Lasting lasting;
  const char* name;
};

constexpr FilePart kDatabase = FilePart::Database;
constexpr FilePart kLog = FilePart::Log;
constexpr Lasting kOnce = Lasting::Once;
constexpr Lasting kStays = Lasting::Stays;

constexpr Case kCases[] = {
    {FileOperation::Open, kDatabase, SQLITE_CANTOPEN, kOnce, "OpenDatabase"},
    {FileOperation::Open, kLog, SQLITE_CANTOPEN, kOnce, "OpenLog"},
    {FileOperation::Read, kDatabase, SQLITE_IOERR_READ, kOnce, "ReadDatabase"},
    {FileOperation::Read, kDatabase, SQLITE_IOERR_READ, kStays, "ReadDatabaseUntilRepaired"},
    {FileOperation::Read, kLog, SQLITE_IOERR_READ, kOnce, "ReadLog"},
    {FileOperation::Read, kLog, SQLITE_IOERR_SHORT_READ, kOnce, "ReadLogInPart"},
    {FileOperation::Write, kDatabase, SQLITE_IOERR_WRITE, kOnce, "WriteDatabase"},
    {FileOperation::Write, kDatabase, SQLITE_FULL, kStays, "WriteDatabaseOnAFullDisk"},
    {FileOperation::Write, kLog, SQLITE_IOERR_WRITE, kOnce, "WriteLog"},
    {FileOperation::Write, kLog, SQLITE_FULL, kOnce, "WriteLogOnAFullDiskOnce"},
    {FileOperation::Write, kLog, SQLITE_FULL, kStays, "WriteLogOnAFullDisk"},
    {FileOperation::Sync, kDatabase, SQLITE_IOERR_FSYNC, kOnce, "SyncDatabase"},
    {FileOperation::Sync, kLog, SQLITE_IOERR_FSYNC, kOnce, "SyncLog"},
    {FileOperation::Lock, kDatabase, SQLITE_IOERR_LOCK, kOnce, "LockDatabase"},
    {FileOperation::Lock, kDatabase, SQLITE_BUSY, kOnce, "LockDatabaseBusy"},
    {FileOperation::MapIndex, kDatabase, SQLITE_IOERR_SHMMAP, kOnce, "MapIndex"},
    {FileOperation::MapIndex, kDatabase, SQLITE_NOMEM, kOnce, "MapIndexWithoutMemory"},
    {FileOperation::LockIndex, kDatabase, SQLITE_IOERR_SHMLOCK, kOnce, "LockIndex"},
    {FileOperation::LockIndex, kDatabase, SQLITE_BUSY, kOnce, "LockIndexBusy"},
};

// Some seconds for all of them.
constexpr std::uint64_t kRunsMax = 40;

class FileFaults : public testing::TestWithParam<Case> {};

TEST_P(FileFaults, AreAnsweredAndLeaveNothingBehind) {
  const Case& parameter = GetParam();
  reference();
  const sqlite3_int64 before = sqlite3_memory_used();
  std::uint64_t runs = 0;
  std::uint64_t failed = 0;
  bool fired = true;
  // Closer together at the beginning, where the file is opened and made.
  std::uint64_t nth = 1;
  for (; fired && runs < kRunsMax; nth += 1 + nth / 8) {
    const TemporaryFolder folder;
    SCOPED_TRACE(str("use ", nth));
    const Verdict verdict = runWithFault(
        {.file = folder / "a.db", .limits = {.busyTimeMax = std::chrono::milliseconds(3)}},
        [&parameter, nth] {
          failFile({.operation = parameter.operation,
                    .part = parameter.part,
                    .nth = nth,
                    .status = parameter.status,
                    .lasting = parameter.lasting});
        },
        [&fired] { fired = stopFailingFiles(); });
    failed += verdict.failed ? 1 : 0;
    ++runs;
    if (HasFailure()) return;
  }
  EXPECT_EQ(sqlite3_memory_used(), before);
  EXPECT_GT(runs, 1u) << "it is never done";
  std::cout << nth << " uses, " << runs << " runs, " << failed << " of them with an error\n";
}

INSTANTIATE_TEST_SUITE_P(Every, FileFaults, testing::ValuesIn(kCases),
                         [](const auto& parameter) { return parameter.param.name; });

// The last connection moves the log into the database. What is committed is not lost when it
// cannot.
class FileFaultsAtTheEnd : public testing::TestWithParam<Case> {};

TEST_P(FileFaultsAtTheEnd, LoseNothing) {
  const Case& parameter = GetParam();
  bool fired = true;
  std::uint64_t nth = 1;
  for (; fired; nth += 1 + nth / 4) {
    SCOPED_TRACE(str("use ", nth));
    const TemporaryFolder folder;
    const DatabaseOptions options{.file = folder / "a.db"};
    auto guest = std::make_unique<Guest>(options);
    for (const Step& step : script()) step(*guest);
    failFile({.operation = parameter.operation,
              .part = parameter.part,
              .nth = nth,
              .status = parameter.status,
              .lasting = parameter.lasting});
    guest.reset();
    fired = stopFailingFiles();
    ASSERT_EQ(contentOf(options), reference().contents.back());
  }
  EXPECT_GT(nth, 2u) << "it is never done";
}

constexpr Case kCasesAtTheEnd[] = {
    {FileOperation::Read, kLog, SQLITE_IOERR_READ, kOnce, "ReadLog"},
    {FileOperation::Write, kDatabase, SQLITE_IOERR_WRITE, kOnce, "WriteDatabase"},
    {FileOperation::Write, kDatabase, SQLITE_FULL, kStays, "WriteDatabaseOnAFullDisk"},
    {FileOperation::Sync, kDatabase, SQLITE_IOERR_FSYNC, kOnce, "SyncDatabase"},
    {FileOperation::Sync, kLog, SQLITE_IOERR_FSYNC, kOnce, "SyncLog"},
    {FileOperation::Lock, kDatabase, SQLITE_IOERR_LOCK, kOnce, "LockDatabase"},
};

INSTANTIATE_TEST_SUITE_P(Every, FileFaultsAtTheEnd, testing::ValuesIn(kCasesAtTheEnd),
                         [](const auto& parameter) { return parameter.param.name; });

TEST(FileFaults, SayThatTheLogCannotBeEmptied) {
  const TemporaryFolder folder;
  const DatabaseOptions options{.file = folder / "a.db"};
  Guest guest(options);
  for (const Step& step : script()) step(guest);
  guest.finish();
  failFile({.operation = FileOperation::Truncate, .part = kLog, .status = SQLITE_IOERR_TRUNCATE});
  expectError(
      ErrorCode::Unavailable,
      str("reading or writing ", (folder / "a.db").string(),
          " failed; look after its disk and try again (SQLITE_IOERR_TRUNCATE)"),
      [&guest] { guest.pool().lend()->execute("pragma wal_checkpoint(truncate)", Rules::Host); });
  EXPECT_TRUE(stopFailingFiles());
  EXPECT_EQ(contentOf(options), reference().contents.back());
}

TEST(FileFaults, SayWhatTheDiskNeeds) {
  const TemporaryFolder folder;
  Database database({.file = folder / "a.db"});
  database.execute("create table t (x)", Rules::Guest);
  const auto insert = [&database] { database.execute("insert into t values (1)", Rules::Guest); };
  failFile(
      {.operation = FileOperation::Write, .part = kLog, .status = SQLITE_FULL, .lasting = kStays});
  expectError(ErrorCode::Unavailable,
              str("there is no space left for ", (folder / "a.db").string(),
                  "; free some on its disk and try again (SQLITE_FULL)"),
              insert);
  stopFailingFiles();
  EXPECT_NO_THROW(insert());
}

}  // namespace
}  // namespace schemascript::faults
