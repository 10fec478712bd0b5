// The lines, and a log whose reader reads, stops or goes.
#include "serve/request-log.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <boost/json.hpp>
#include <csignal>
#include <cstdlib>
#include <set>
#include <sstream>
#include <vector>

#include "base/file.h"
#include "base/testing.h"

namespace schemascript {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

const LogTime kNow =
    std::chrono::sys_days(std::chrono::year(2026) / 11 / 23) + 4h + 30min + 15s + 7ms;

RequestRecord request() {
  return {.at = kNow,
          .id = "r1",
          .tenant = "acme",
          .method = "GET",
          .path = "/notes",
          .status = 200,
          .duration = 1'234'567ns,
          .queued = 10us,
          .fuel = 5,
          .statements = 2,
          .rows = 3,
          .heapBytes = 4,
          .bytesIn = 6,
          .bytesOut = 7,
          .isolateReused = true,
          .error = {}};
}

TEST(LogLine, HasARequestAsJson) {
  EXPECT_EQ(jsonLine(request()),
            R"({"time":"2026-11-23T04:30:15.007Z","request":"r1","tenant":"acme","method":"GET",)"
            R"("path":"/notes","status":200,"ms":1.234,"queueMs":0.010,"fuel":5,"statements":2,)"
            R"("rows":3,"heapBytes":4,"bytesIn":6,"bytesOut":7,"isolateReused":true})"
            "\n");
  RequestRecord failed = request();
  failed.tenant = {};
  failed.error = "LimitExceeded";
  const json::object line = json::parse(jsonLine(failed)).as_object();
  EXPECT_FALSE(line.contains("tenant"));
  EXPECT_EQ(line.at("error"), "LimitExceeded");
}

TEST(LogLine, HasWhatAnAppPrints) {
  EXPECT_EQ(jsonLine(ConsoleRecord{kNow, "r1", "", "log", "a\n\"b\"\n"}),
            R"({"time":"2026-11-23T04:30:15.007Z","request":"r1","console":"log",)"
            R"("text":"a\u000a\"b\""})"
            "\n");
  EXPECT_EQ(textLines(ConsoleRecord{kNow, "r1", "acme", "log", "a\n\n\"b\"\n"}),
            "04:30:15.007 r1 acme | a\n04:30:15.007 r1 acme | \n04:30:15.007 r1 acme | \"b\"\n");
}

TEST(LogLine, IsForPeopleToo) {
  EXPECT_EQ(textLines(request()),
            "04:30:15.007 r1 acme GET /notes 200 1.234ms 2 statements, 3 rows\n");
  RequestRecord slow = request();
  slow.queued = 1ms;
  slow.statements = 0;
  slow.error = "Overloaded";
  EXPECT_EQ(textLines(slow),
            "04:30:15.007 r1 acme GET /notes 200 1.234ms (waited 1.000ms) Overloaded\n");
}

StatementRecord statement() {
  return {.at = kNow,
          .id = "r1",
          .tenant = "acme",
          .transaction = 0,
          .isPush = false,
          .sql = "select \"id\"\n  from notes -- all of them\n",
          .duration = 1'234'567ns,
          .waited = 10us,
          .rows = 3,
          .changes = 0,
          .values = {},
          .error = {}};
}

TEST(LogLine, HasAStatement) {
  EXPECT_EQ(jsonLine(statement()),
            R"({"time":"2026-11-23T04:30:15.007Z","request":"r1","tenant":"acme",)"
            R"("sql":"select \"id\" from notes","ms":1.234,"waitedMs":0.010,"rows":3,"changes":0})"
            "\n");
  EXPECT_EQ(textLines(statement()),
            "04:30:15.007 r1 acme sql 1.234ms 3 rows | select \"id\" from notes\n");
}

TEST(LogLine, HasWhatCameOfAStatement) {
  const TracedStatement traced{.method = Method::Run,
                               .sql = "insert into notes values (?)",
                               .transaction = TransactionHandle{7},
                               .took = 9ms,
                               .waited = 8ms,
                               .rows = 1,
                               .changes = 2,
                               .error = "notes.text must be unique",
                               .values = "[\"a\"]"};
  const StatementRecord record = recordOf(traced, kNow, "r1", "");
  EXPECT_EQ(jsonLine(record),
            R"({"time":"2026-11-23T04:30:15.007Z","request":"r1",)"
            R"J("sql":"insert into notes values (?)","ms":9.000,"waitedMs":8.000,"rows":1,)J"
            R"("changes":2,"transaction":7,"values":"[\"a\"]","error":"notes.text must be unique"})"
            "\n");
  EXPECT_EQ(textLines(record),
            "04:30:15.007 r1 sql 9.000ms (waited 8.000ms) 1 row 2 changes failed | tx 7: insert "
            "into notes values (?) | [\"a\"] | notes.text must be unique\n");
  const TracedStatement pushed{.method = Method::Push, .sql = "create table a (b);"};
  EXPECT_EQ(textLines(recordOf(pushed, kNow, "r1", "")),
            "04:30:15.007 r1 sql 0.000ms | push: create table a (b);\n");
  EXPECT_EQ(json::parse(jsonLine(recordOf(pushed, kNow, "", ""))).at("push"),
            "create table a (b);");
}

// Whatever bytes a client or a guest sends: one line, JSON, and nothing that a terminal obeys.
TEST(LogLine, CannotBeForged) {
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  every += "\xc2\x9b\xe2\x80\xae\xe2\x80\xa8\xed\xa0\x80\xf0\x9f\x98\x80\xc3\xa4\"\\";
  RequestRecord record = request();
  record.path = record.id = record.tenant = record.method = record.error = every;
  const ConsoleRecord console{kNow, every, every, every, every};
  StatementRecord sql = statement();
  sql.id = sql.tenant = sql.values = sql.error = every;
  const std::string quoted = "select '" + every;
  sql.sql = quoted;
  for (const std::string& line :
       {jsonLine(record), jsonLine(console), textLines(record), jsonLine(sql), textLines(sql)}) {
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    for (const char* const bad :
         {"\x1b", "\x7f", "\r", "\xc2\x9b", "\xe2\x80\xae", "\xe2\x80\xa8"}) {
      EXPECT_EQ(line.find(bad), std::string::npos);
    }
  }
  const json::value line = json::parse(jsonLine(console));
  const json::string& text = line.at("text").as_string();
  EXPECT_TRUE(text.starts_with(std::string_view("\0\x01", 2)));
  EXPECT_TRUE(text.ends_with("\xf0\x9f\x98\x80\xc3\xa4\"\\"));
  EXPECT_EQ(json::parse(jsonLine(sql)).at("error"), text);
}

TEST(LogLine, IsCut) {
  RequestRecord record = request();
  const std::string fits(kLogNameBytesMax, 'x');
  record.path = fits;
  EXPECT_EQ(json::parse(jsonLine(record)).at("path").as_string(), fits);
  const std::string cut = fits.substr(1) + "\xc3\xa4";
  record.path = cut;
  EXPECT_EQ(json::parse(jsonLine(record)).at("path").as_string(), fits.substr(1) + "...");
  const std::string text(kLogTextBytesMax + 1, 'y');
  const ConsoleRecord console{kNow, "", "", "log", text};
  EXPECT_EQ(json::parse(jsonLine(console)).at("text").as_string().size(), kLogTextBytesMax + 3);
  EXPECT_EQ(textLines(console).size(),
            std::string_view("04:30:15.007 | ...\n").size() + kLogTextBytesMax);
  StatementRecord sql = statement();
  const std::string longest(kLogSqlBytesMax, 'z');
  sql.sql = longest;
  EXPECT_EQ(json::parse(jsonLine(sql)).at("sql").as_string(), longest);
  const std::string longer = longest + "z";
  sql.sql = longer;
  EXPECT_EQ(json::parse(jsonLine(sql)).at("sql").as_string(), longest + "...");
  EXPECT_TRUE(textLines(sql).ends_with("| " + longest + "...\n"));
}

class Pipe {
 public:
  Pipe() {
    std::array<int, 2> files;
    EXPECT_EQ(::pipe2(files.data(), O_CLOEXEC), 0);
    reader = FileDescriptor(files[0]);
    writer = FileDescriptor(files[1]);
  }
  std::string read() const {
    std::array<char, 65'536> buffer;
    const ssize_t size = ::read(reader.get(), buffer.data(), buffer.size());
    return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : std::string();
  }

  FileDescriptor reader;
  FileDescriptor writer;
};

TEST(RequestLog, WritesInOrder) {
  const Pipe pipe;
  RequestLog log(pipe.writer.get());
  log.add(request());
  log.add(ConsoleRecord{kNow, "r1", "acme", "log", "hi"});
  log.add(statement());
  log.flush();
  EXPECT_EQ(pipe.read(), jsonLine(request()) +
                             jsonLine(ConsoleRecord{kNow, "r1", "acme", "log", "hi"}) +
                             jsonLine(statement()));
  EXPECT_EQ(log.droppedLines(), 0u);
}

TEST(RequestLog, WritesWhatWaitsWhenItEnds) {
  const TemporaryFolder folder;
  const auto path = folder / "log";
  std::string expected;
  {
    const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    RequestLog log(file.get(), {.form = LogLines::Text});
    for (int i = 0; i < 5'000; ++i) {
      log.add(request());
      expected += textLines(request());
    }
  }
  EXPECT_EQ(readFile(path), expected);
}

TEST(RequestLog, KeepsLinesOfSeveralThreadsWhole) {
  const TemporaryFolder folder;
  const auto path = folder / "log";
  {
    const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    RequestLog log(file.get());
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&log, thread] {
        for (int i = 0; i < 500; ++i) {
          const std::string id = str(thread, '-', i);
          log.add(ConsoleRecord{kNow, id, "", "log", "x"});
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  std::set<std::string> ids;
  std::istringstream lines(readFile(path));
  for (std::string line; std::getline(lines, line);) {
    ids.emplace(json::parse(line).at("request").as_string());
  }
  EXPECT_EQ(ids.size(), 2'000u);
}

std::uint64_t saidToBeDropped(const std::string& lines) {
  constexpr std::string_view kName = "\"droppedLines\":";
  std::uint64_t said = 0;
  for (std::size_t at = lines.find(kName); at != std::string::npos;
       at = lines.find(kName, at + 1)) {
    said += std::strtoull(lines.c_str() + at + kName.size(), nullptr, 10);
  }
  return said;
}

// A reader that stops costs lines, and nobody's time; it hears how many.
TEST(RequestLog, DropsWhatItsReaderDoesNotTake) {
  const Pipe pipe;
  constexpr std::uint64_t kLines = 20'000;
  RequestLog log(pipe.writer.get(), {.waitingBytesMax = 64 << 10});
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t i = 0; i < kLines; ++i) log.add(request());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
  EXPECT_GT(log.droppedLines(), kLines / 2);
  EXPECT_LT(log.droppedLines(), kLines);
  ::fcntl(pipe.reader.get(), F_SETFL, O_NONBLOCK);
  std::string all;
  std::uint64_t added = kLines;
  for (int i = 0; i < 10'000 && saidToBeDropped(all) < log.droppedLines(); ++i) {
    const std::string more = pipe.read();
    all += more;
    if (!more.empty()) continue;
    log.add(request());  // What was dropped is said with the next line.
    ++added;
    std::this_thread::sleep_for(1ms);
  }
  log.flush();
  all += pipe.read();
  EXPECT_EQ(saidToBeDropped(all), log.droppedLines());
  std::uint64_t requests = 0;
  std::istringstream lines(all);
  for (std::string line; std::getline(lines, line);) {
    requests += json::parse(line).as_object().contains("request") ? 1 : 0;
  }
  EXPECT_EQ(requests + log.droppedLines(), added);
}

TEST(RequestLog, EndsThoughNobodyReads) {
  const Pipe pipe;
  const auto begin = std::chrono::steady_clock::now();
  {
    RequestLog log(pipe.writer.get(), {.closeTimeMax = 200ms});
    for (int i = 0; i < 2'000; ++i) log.add(request());
  }
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(took, 200ms);
  EXPECT_LT(took, 10s);
}

TEST(RequestLog, GoesOnWhenItsReaderHasGone) {
  std::signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  pipe.reader = FileDescriptor();
  RequestLog log(pipe.writer.get());
  log.add(request());
  log.flush();
  EXPECT_EQ(log.droppedLines(), 1u);
  RequestLog closed(-1);
  closed.add(request());
}

}  // namespace
}  // namespace schemascript
