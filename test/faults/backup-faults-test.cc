// Backups whose calls of SQLite fail, one after the other: the file is the old one or the new one,
// and nothing is left beside it.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>

#include "base/file.h"
#include "base/testing.h"
#include "database/backup.h"
#include "database/database.h"
#include "fault-calls.h"

namespace schemascript::faults {
namespace {

class BackupFaults : public testing::TestWithParam<Call> {
 protected:
  static std::size_t filesIn(const std::filesystem::path& folder) {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
  }
};

TEST_P(BackupFaults, LoseNothing) {
  const TemporaryFolder folder;
  const auto from = folder / "app.db";
  Database({.file = from})
      .execute(
          "CREATE TABLE t AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE "
          "i < "
          "20000) SELECT i, printf('%0400d', i) AS v FROM n",
          Rules::Host);
  std::uint64_t nth = 1;
  for (bool fired = true; fired; ++nth) {
    for (const int status :
         {SQLITE_NOMEM, SQLITE_FULL, SQLITE_BUSY, SQLITE_IOERR_WRITE, SQLITE_CORRUPT}) {
      const auto to = folder / "backup.db";
      std::ofstream(to) << "old";
      arm({.call = GetParam(), .nth = nth, .status = status});
      bool failed = false;
      try {
        backUp(from, to, Replace::Yes);
      } catch (const Error& error) {
        failed = true;
        EXPECT_NE(error.message().find("cannot "), std::string::npos) << error.message();
      }
      fired = disarm();
      EXPECT_EQ(failed, fired);
      EXPECT_EQ(readFile(to) == "old", failed);
      EXPECT_EQ(filesIn(folder.path()), 2u);
      std::filesystem::remove(to);
    }
  }
  EXPECT_GT(nth, 2u);
}

INSTANTIATE_TEST_SUITE_P(Calls, BackupFaults,
                         testing::Values(Call::Open, Call::Execute, Call::BackupInit,
                                         Call::BackupStep));

}  // namespace
}  // namespace schemascript::faults
