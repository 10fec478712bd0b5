// Every SQLite function that our libraries call, failing once at each of its uses.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <map>
#include <set>
#include <sstream>

#include "base/testing.h"
#include "fault-calls.h"
#include "script.h"

namespace schemascript::faults {
namespace {

// Why these are not made to fail.
const std::map<std::string, std::string>& harmless() {
  static const std::string kNumber = "answers a number or a pointer that is there already";
  static const std::string kNothing = "answers nothing";
  static const std::string kMisuse = "fails only when it is misused";
  static const std::string kRepeats = "repeats the failure of an earlier call, which is told there";
  static const std::map<std::string, std::string> reasons{
      {"backup_finish", kRepeats},
      {"backup_pagecount", kNumber},
      {"backup_remaining", kNumber},
      {"bind_parameter_count", kNumber},
      {"busy_handler", kMisuse},
      {"busy_timeout", kMisuse},
      {"changes64", kNumber},
      {"clear_bindings", kMisuse},
      {"close_v2", kMisuse},
      {"commit_hook", kNothing},
      {"column_bytes", kNumber},
      {"column_count", kNumber},
      {"column_double", kNumber},
      {"column_int64", kNumber},
      {"column_type", kNumber},
      {"compileoption_used", kNumber},
      {"context_db_handle", kNumber},
      {"db_handle", kNumber},
      {"db_readonly", kNumber},
      {"drop_modules", kMisuse},
      {"errcode", kNumber},
      {"errmsg", kNumber},
      {"error_offset", kNumber},
      {"errstr", kNumber},
      {"extended_errcode", kNumber},
      {"finalize", kRepeats},
      {"free", kNothing},
      {"get_autocommit", kNumber},
      {"interrupt", kNothing},
      {"config", "fails only when SQLite is in use already, and then nothing is changed"},
      {"last_insert_rowid", kNumber},
      {"limit", kNumber},
      {"progress_handler", kNothing},
      {"update_hook", kNothing},
      {"result_double", kNothing},
      {"result_error", kNothing},
      {"result_error_code", kNothing},
      {"result_error_nomem", kNothing},
      {"result_error_toobig", kNothing},
      {"result_int", kNothing},
      {"result_text", kNothing},
      {"set_authorizer", kMisuse},
      {"set_last_insert_rowid", kNothing},
      {"libversion", "a constant"},
      {"result_int64", kNothing},
      {"sql", kNumber},
      {"stmt_busy", kNumber},
      {"stmt_readonly", kNumber},
      {"total_changes64", kNumber},
      {"trace_v2", kMisuse},
      {"user_data", kNumber},
      {"value_bytes", kNumber},
      {"value_double", kNumber},
      {"value_free", kNothing},
      {"value_int", kNumber},
      {"value_int64", kNumber},
      {"value_type", kNumber},
      {"value_text", "SQLite itself fails the statement, as the allocation faults show"},
      {"vfs_find", "once in a process, before there is anything to lose"},
      {"vfs_register", "once in a process, before there is anything to lose"},
  };
  return reasons;
}

// The functions of SQLite that our libraries call, without `sqlite3_`.
std::set<std::string> calledFunctions() {
  const std::string command = str(NM, " -u ", OUR_LIBRARIES, " 2>/dev/null");
  std::set<std::string> names;
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  char line[1000];
  while (pipe != nullptr && std::fgets(line, sizeof line, pipe) != nullptr) {
    std::string word;
    std::istringstream words(line);
    while (words >> word) {
      if (word.starts_with("sqlite3_")) names.insert(word.substr(8));
    }
  }
  if (pipe != nullptr) ::pclose(pipe);
  return names;
}

std::set<std::string> wrappedFunctions() {
  std::set<std::string> names;
  std::istringstream list(WRAPPED_CALLS);
  for (std::string name; list >> name;) names.insert(name);
  return names;
}

TEST(CallFaults, KnowEveryFunctionThatIsCalled) {
  const std::set<std::string> wrapped = wrappedFunctions();
  EXPECT_EQ(wrapped, std::set<std::string>(kCallNames.begin(), kCallNames.end()));
  std::set<std::string> known = wrapped;
  for (const auto& [name, reason] : harmless()) {
    EXPECT_TRUE(known.insert(name).second) << name << " is wrapped and declared harmless";
  }
  const std::set<std::string> called = calledFunctions();
  EXPECT_FALSE(called.empty());
  for (const std::string& name : called) {
    EXPECT_TRUE(known.contains(name))
        << "sqlite3_" << name << " is new: let it fail in test/faults, or say there why it cannot";
  }
  for (const std::string& name : known) {
    EXPECT_TRUE(called.contains(name)) << "sqlite3_" << name << " is not called any more";
  }
}

// What each can plausibly answer.
std::vector<int> statusesOf(Call call) {
  switch (call) {
    case Call::BindBlob:
    case Call::BindDouble:
    case Call::BindInteger:
    case Call::BindNull:
    case Call::BindPointer:
    case Call::BindText:
    case Call::PrepareOwn:
    case Call::CreateFunction:
      return {SQLITE_NOMEM};
    case Call::Configure:
      return {SQLITE_ERROR, SQLITE_NOMEM};
    case Call::Open:
      return {SQLITE_NOMEM, SQLITE_CANTOPEN, SQLITE_IOERR_READ, SQLITE_CORRUPT, SQLITE_PERM};
    case Call::Execute:
      return {SQLITE_NOMEM, SQLITE_IOERR_WRITE, SQLITE_FULL, SQLITE_CANTOPEN, SQLITE_CORRUPT};
    case Call::Prepare:
      return {SQLITE_NOMEM,   SQLITE_IOERR_READ, SQLITE_BUSY,
              SQLITE_CORRUPT, SQLITE_CANTOPEN,   SQLITE_SCHEMA};
    case Call::Step:
      return {SQLITE_NOMEM,    SQLITE_IOERR_READ,    SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC,
              SQLITE_FULL,     SQLITE_BUSY,          SQLITE_CORRUPT,     SQLITE_CANTOPEN,
              SQLITE_PROTOCOL, SQLITE_BUSY_SNAPSHOT, SQLITE_LOCKED,      SQLITE_SCHEMA};
    case Call::Reset:
      return {SQLITE_NOMEM, SQLITE_IOERR_WRITE, SQLITE_FULL, SQLITE_BUSY, SQLITE_CORRUPT};
    default:
      return {SQLITE_NOMEM};  // Null.
  }
}

// Each status where the call is used seldom; else they take turns, one at each use.
constexpr std::uint64_t kUsesWithEveryStatus = 4;

class CallFaults : public testing::TestWithParam<Call> {};

TEST_P(CallFaults, AreAnsweredAndLeaveNothingBehind) {
  const Call call = GetParam();
  const std::vector<int> statuses = statusesOf(call);
  reference();
  const sqlite3_int64 before = sqlite3_memory_used();
  std::uint64_t runs = 0;
  std::uint64_t failed = 0;
  bool fired = true;
  std::uint64_t nth = 1;
  // Five has no divisor in common with the numbers of statuses that are used so often.
  for (; fired; nth += nth < 120 ? 1 : 5) {
    fired = false;
    for (std::size_t i = 0; i < statuses.size(); ++i) {
      const bool isDue = nth <= kUsesWithEveryStatus || (nth + i) % statuses.size() < 1;
      if (!isDue) continue;
      const bool rollsBack = (nth + i) % 2 == 0;
      const CallFault fault{
          .call = call,
          .nth = nth,
          .status = statuses[i],
          .transaction = rollsBack ? Transaction::IsRolledBack : Transaction::Stays};
      SCOPED_TRACE(str("sqlite3_", kCallNames[static_cast<std::size_t>(call)], ", use ", nth, ", ",
                       sqlite3_errstr(fault.status), rollsBack ? ", rolled back" : ""));
      const TemporaryFolder folder;
      // What is executed at once are the settings of a file.
      DatabaseOptions options;
      if (call == Call::Execute) {
        options.file = folder / "a.db";
      } else {
        options.memory = std::make_shared<MemoryFile>();
      }
      const Verdict verdict =
          runWithFault(options, [&fault] { arm(fault); }, [&fired] { fired = disarm() || fired; });
      failed += verdict.failed ? 1 : 0;
      ++runs;
      if (HasFailure()) return;
    }
  }
  EXPECT_EQ(sqlite3_memory_used(), before);
  EXPECT_TRUE(nth > 2) << "it is never called";
  std::cout << "about " << nth << " uses, " << runs << " runs, " << failed
            << " of them with an error\n";
}

// The log is moved into the database after a full disk; that it cannot be is no failure of the
// statement before which it is tried.
TEST(CallFaults, DoNotLetAStatementFailThatOnlyTriesToMakeRoom) {
  Guest guest({.memory = std::make_shared<MemoryFile>()});
  guest.ask(guest.statement("run", "create table t (x)"));
  const std::string insert = guest.statement("run", "insert into t values (1)");
  arm({.call = Call::Step, .nth = 1, .status = SQLITE_FULL});
  EXPECT_THROW(guest.ask(insert), Refused);
  EXPECT_TRUE(disarm());
  arm({.call = Call::Checkpoint, .nth = 1, .status = SQLITE_IOERR_WRITE});
  EXPECT_NO_THROW(guest.ask(insert));
  EXPECT_TRUE(disarm());
}

std::string nameOfCall(const testing::TestParamInfo<Call>& parameter) {
  return std::string(kCallNames[static_cast<std::size_t>(parameter.param)]);
}

std::vector<Call> everyCall() {
  std::vector<Call> calls;
  for (std::size_t i = 0; i < kCallNames.size(); ++i) {
    // Have tests of their own: the first is called after another failure only, the others by
    // backups.
    const Call call = static_cast<Call>(i);
    if (call == Call::Checkpoint || call == Call::BackupInit || call == Call::BackupStep) continue;
    calls.push_back(call);
  }
  return calls;
}

INSTANTIATE_TEST_SUITE_P(Every, CallFaults, testing::ValuesIn(everyCall()), nameOfCall);

}  // namespace
}  // namespace schemascript::faults
