// Counters, and the text that Prometheus reads.
#include "serve/metrics.h"

#include <regex>
#include <set>
#include <sstream>
#include <thread>
#include <vector>

#include "base/testing.h"

namespace schemascript {
namespace {

using namespace std::chrono_literals;

bool has(const std::string& text, std::string_view line) {
  return text.find(str('\n', line, '\n')) != std::string::npos;
}

TEST(Metrics, LosesNothingOfSeveralThreads) {
  Metrics metrics;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&metrics] {
      for (int i = 0; i < 10'000; ++i) metrics.countRequest(200, 1ms, 0ns);
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string text = metrics.render({});
  EXPECT_TRUE(has(text, "schemascript_requests_total{status=\"2xx\"} 40000")) << text;
  EXPECT_TRUE(has(text, "schemascript_request_duration_seconds_count 40000")) << text;
  EXPECT_TRUE(has(text, "schemascript_request_duration_seconds_sum 40.000000000")) << text;
}

TEST(Metrics, PutsABoundIntoItsBucket) {
  DurationHistogram histogram;
  for (const auto duration :
       {-1ns, 0ns, 1'000'000ns, 1'000'001ns, 30'000'000'000ns, 30'000'000'001ns}) {
    histogram.add(duration);
  }
  const DurationHistogram::Values values = histogram.values();
  EXPECT_EQ(values.buckets.front(), 3u);
  EXPECT_EQ(values.buckets[1], 1u);
  EXPECT_EQ(values.buckets[13], 1u);
  EXPECT_EQ(values.buckets[14], 1u);
  EXPECT_EQ(values.sum, 60'002'000'002ns);
}

TEST(Metrics, AddsBucketsUp) {
  Metrics metrics;
  metrics.countRequest(204, 3ms, 600ms);
  metrics.countRequest(503, 60s, 2ms);
  const std::string text = metrics.render({});
  for (const char* const line : {"schemascript_request_duration_seconds_bucket{le=\"0.001\"} 0",
                                 "schemascript_request_duration_seconds_bucket{le=\"0.005\"} 1",
                                 "schemascript_request_duration_seconds_bucket{le=\"0.25\"} 1",
                                 "schemascript_request_duration_seconds_bucket{le=\"10\"} 1",
                                 "schemascript_request_duration_seconds_bucket{le=\"30\"} 1",
                                 "schemascript_request_duration_seconds_bucket{le=\"+Inf\"} 2",
                                 "schemascript_request_queue_seconds_bucket{le=\"0.5\"} 1",
                                 "schemascript_request_queue_seconds_bucket{le=\"1\"} 2",
                                 "schemascript_request_queue_seconds_sum 0.602000000",
                                 "schemascript_requests_total{status=\"5xx\"} 1"}) {
    EXPECT_TRUE(has(text, line)) << line << '\n' << text;
  }
}

TEST(Metrics, ShowsAllThatWasCounted) {
  Metrics metrics;
  metrics.countStop(StoppedBy::Fuel);
  metrics.countDatabaseUse(3, 40);
  for (const std::uint16_t status : {0, 99, 600, 65'535}) metrics.countRequest(status, 0ns, 0ns);
  const std::string text = metrics.render({.running = 1,
                                           .queued = 2,
                                           .refused = 3,
                                           .isolatesMade = 4,
                                           .isolatesReset = 5,
                                           .isolatesDiscarded = 6,
                                           .isolates = 7,
                                           .isolateBytes = 8,
                                           .droppedLogLines = 9,
                                           .openTenants = 10,
                                           .connections = 14,
                                           .openConnections = 11,
                                           .requestsMalformed = 12,
                                           .acceptFailures = 13,
                                           .version = "1\"\\\n",
                                           .sqliteVersion = "3.46.1"});
  for (const char* const line : {"requests_running 1",
                                 "requests_queued 2",
                                 "requests_refused_total 3",
                                 "isolates_made_total 4",
                                 "isolates_reset_total 5",
                                 "isolates_discarded_total 6",
                                 "http_connections_total 14",
                                 "http_connections_open 11",
                                 "http_requests_malformed_total 12",
                                 "http_accept_failures_total 13",
                                 "isolates 7",
                                 "isolates_bytes 8",
                                 "log_lines_dropped_total 9",
                                 "tenants_open 10",
                                 "guests_stopped_total{limit=\"fuel\"} 1",
                                 "guests_stopped_total{limit=\"time\"} 0",
                                 "sqlite_statements_total 3",
                                 "sqlite_rows_total 40",
                                 "requests_total{status=\"other\"} 4",
                                 R"(build_info{version="1\"\\\n",sqlite="3.46.1"} 1)"}) {
    EXPECT_TRUE(has(text, str("schemascript_", line))) << line << '\n' << text;
  }
}

TEST(Metrics, ShowsEachSchedule) {
  const std::string text = Metrics().render({.schedules = {{.cron = "* * * * *",
                                                            .due = 1,
                                                            .running = 2,
                                                            .succeeded = 3,
                                                            .failed = 4,
                                                            .givenUp = 5},
                                                           {.cron = "@daily"}},
                                             .failingScheduleDatabases = 6});
  for (const char* const line :
       {R"(schedule_due{cron="* * * * *"} 1)", R"(schedule_running{cron="* * * * *"} 2)",
        R"(schedule_succeeded_total{cron="* * * * *"} 3)",
        R"(schedule_failed_total{cron="* * * * *"} 4)",
        R"(schedule_given_up_total{cron="* * * * *"} 5)", R"(schedule_due{cron="@daily"} 0)",
        "schedule_databases_failing 6"}) {
    EXPECT_TRUE(has(text, str("schemascript_", line))) << line << '\n' << text;
  }
}

// Each line is a comment or a sample; each metric has one HELP and one TYPE, before its samples.
TEST(Metrics, KeepsToTheFormat) {
  std::istringstream lines(Metrics().render({.schedules = {{.cron = "* * * * *"}}}));
  const std::regex comment("# (HELP|TYPE) ([a-z_]+) .+");
  const std::regex sample(
      "([a-z_]+?)(_bucket|_sum|_count)?(\\{[a-z]+=\"[^\"]*\"(,[a-z]+=\"[^\"]*\")*\\})? [0-9.]+");
  std::set<std::string> helped, typed;
  for (std::string line; std::getline(lines, line);) {
    std::smatch parts;
    if (std::regex_match(line, parts, comment)) {
      EXPECT_TRUE((parts[1] == "HELP" ? helped : typed).insert(parts[2]).second) << line;
    } else {
      ASSERT_TRUE(std::regex_match(line, parts, sample)) << line;
      EXPECT_TRUE(typed.contains(parts[1]) && helped.contains(parts[1])) << line;
    }
  }
  EXPECT_EQ(helped, typed);
  EXPECT_GT(helped.size(), 15u);
}

TEST(Metrics, LooksAtThisProcess) {
  const ProcessFigures figures = processFigures();
  EXPECT_GT(figures.residentBytes, 1u << 20);
  EXPECT_GE(figures.openFiles, 3u);
}

TEST(HealthDocument, SaysHowItIs) {
  EXPECT_EQ(healthDocument(Health::Ready, 3s, "0.1.0"),
            R"({"status":"ready","uptimeSeconds":3,"version":"0.1.0"})");
  EXPECT_EQ(healthDocument(Health::Broken, 3s, "", "no \"disk\""),
            R"({"status":"broken","uptimeSeconds":3,"reason":"no \"disk\""})");
  EXPECT_TRUE(isReady(Health::Ready));
  EXPECT_FALSE(isReady(Health::Draining) || isReady(Health::Starting) || isReady(Health::Broken));
}

}  // namespace
}  // namespace schemascript
