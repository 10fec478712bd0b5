#include "serve/metrics.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <thread>
#include <type_traits>

#include "base/error.h"
#include "bridge/text.h"

namespace schemascript {
namespace {

using namespace std::chrono;

std::size_t shardOfThisThread() noexcept {
  static thread_local const std::size_t shard =
      std::hash<std::thread::id>{}(std::this_thread::get_id());
  return shard;
}

// Seconds, exact, whatever the locale.
std::string seconds(nanoseconds duration) {
  std::array<char, 40> text;
  const auto all = duration.count();
  std::snprintf(text.data(), text.size(), "%lld.%09lld",
                static_cast<long long>(all / 1'000'000'000),
                static_cast<long long>(all % 1'000'000'000));
  return text.data();
}

// `0.25`, `10`: as a label, where 0.250 would be another one.
std::string boundText(std::uint32_t milliseconds) {
  std::array<char, 40> text;
  std::snprintf(text.data(), text.size(), "%u.%03u", milliseconds / 1'000, milliseconds % 1'000);
  std::string bound = text.data();
  bound.erase(bound.find_last_not_of('0') + 1);
  if (bound.ends_with('.')) bound.pop_back();
  return bound;
}

class Page {
 public:
  void head(std::string_view name, std::string_view type, std::string_view help) {
    text_ += str("# HELP schemascript_", name, ' ', help, "\n# TYPE schemascript_", name, ' ', type,
                 '\n');
  }
  // `labels` with their braces.
  template <typename Value>
  void sample(std::string_view name, std::string_view labels, const Value& value) {
    text_ += "schemascript_";
    text_ += name;
    text_ += labels;
    text_ += ' ';
    if constexpr (std::is_arithmetic_v<Value>) {
      text_ += std::to_string(value);
    } else {
      text_ += value;
    }
    text_ += '\n';
  }
  void one(std::string_view name, std::string_view type, std::string_view help,
           std::uint64_t value) {
    head(name, type, help);
    sample(name, "", value);
  }
  void histogram(const std::string& name, std::string_view help,
                 const DurationHistogram::Values& values) {
    head(name, "histogram", help);
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < DurationHistogram::kBounds.size(); ++i) {
      count += values.buckets[i];
      sample(name + "_bucket", str("{le=\"", boundText(DurationHistogram::kBounds[i]), "\"}"),
             count);
    }
    count += values.buckets.back();
    sample(name + "_bucket", "{le=\"+Inf\"}", count);
    sample(name + "_sum", "", seconds(values.sum));
    sample(name + "_count", "", count);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

// Of a label's value, as the format has it.
std::string escaped(std::string_view text) {
  std::string safe;
  for (const char letter : text) {
    if (letter == '\n') {
      safe += "\\n";
      continue;
    }
    if (letter == '"' || letter == '\\') safe += '\\';
    safe += letter;
  }
  return safe;
}

}  // namespace

void ShardedCounter::add(std::uint64_t amount) noexcept {
  shards_[shardOfThisThread() % shards_.size()].value.fetch_add(amount, std::memory_order_relaxed);
}

std::uint64_t ShardedCounter::value() const noexcept {
  std::uint64_t sum = 0;
  for (const Shard& shard : shards_) sum += shard.value.load(std::memory_order_relaxed);
  return sum;
}

void DurationHistogram::add(nanoseconds duration) noexcept {
  duration = std::max(duration, nanoseconds(0));
  std::size_t bucket = 0;
  while (bucket < kBounds.size() && duration > milliseconds(kBounds[bucket])) ++bucket;
  buckets_[bucket].add();
  nanoseconds_.add(static_cast<std::uint64_t>(duration.count()));
}

DurationHistogram::Values DurationHistogram::values() const noexcept {
  Values values;
  for (std::size_t i = 0; i < buckets_.size(); ++i) values.buckets[i] = buckets_[i].value();
  values.sum = nanoseconds(static_cast<std::int64_t>(nanoseconds_.value()));
  return values;
}

ProcessFigures processFigures() noexcept {
  ProcessFigures figures;
  try {
    // proc(5): size and resident set, in pages.
    std::ifstream statistics("/proc/self/statm");
    std::uint64_t size = 0, resident = 0;
    if (statistics >> size >> resident) {
      figures.residentBytes = resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    }
    const std::filesystem::directory_iterator files("/proc/self/fd");
    const auto count = std::distance(begin(files), end(files));
    figures.openFiles = static_cast<std::size_t>(count) - 1;  // One is this look's own.
  } catch (const std::exception&) {                           // No /proc, or no memory.
  }
  return figures;
}

void Metrics::countRequest(std::uint16_t status, nanoseconds duration,
                           nanoseconds queued) noexcept {
  const std::size_t kind = status / 100u;
  requests_[kind >= 1 && kind <= 5 ? kind - 1 : 5].add();
  durations_.add(duration);
  queueTimes_.add(queued);
}

void Metrics::countStop(StoppedBy limit) noexcept { stops_[static_cast<std::size_t>(limit)].add(); }

void Metrics::countDatabaseUse(std::uint64_t statements, std::uint64_t rows) noexcept {
  statements_.add(statements);
  rows_.add(rows);
}

std::chrono::seconds Metrics::uptime() const noexcept {
  return duration_cast<std::chrono::seconds>(steady_clock::now() - begin_);
}

namespace {

void scheduleSamples(Page& page, const MetricsNow& now) {
  if (now.schedules.empty()) return;
  const auto each = [&](std::string_view name, std::string_view kind, std::string_view help,
                        auto&& figure) {
    page.head(name, kind, help);
    for (const ScheduleFigures& schedule : now.schedules) {
      page.sample(name, str("{cron=\"", escaped(schedule.cron), "\"}"), figure(schedule));
    }
  };
  using Figures = ScheduleFigures;
  each("schedule_due", "gauge", "Runs that are due and wait for room in the queue.",
       [](const Figures& schedule) { return schedule.due; });
  each("schedule_running", "gauge", "Runs that were begun.",
       [](const Figures& schedule) { return schedule.running; });
  each("schedule_succeeded_total", "counter", "Runs that succeeded.",
       [](const Figures& schedule) { return schedule.succeeded; });
  each("schedule_failed_total", "counter", "Attempts that failed.",
       [](const Figures& schedule) { return schedule.failed; });
  each("schedule_given_up_total", "counter", "Due times that were given up.",
       [](const Figures& schedule) { return schedule.givenUp; });
  page.one("schedule_databases_failing", "gauge",
           "Databases whose schedules cannot be read or recorded.", now.failingScheduleDatabases);
}

}  // namespace

std::string Metrics::render(const MetricsNow& now) const {
  Page page;
  page.head("requests_total", "counter", "Requests that were answered, by the class of status.");
  constexpr std::array<std::string_view, 6> kClasses{"1xx", "2xx", "3xx", "4xx", "5xx", "other"};
  for (std::size_t i = 0; i < kClasses.size(); ++i) {
    page.sample("requests_total", str("{status=\"", kClasses[i], "\"}"), requests_[i].value());
  }
  page.histogram("request_duration_seconds", "From a request's begin to its answer's end.",
                 durations_.values());
  page.histogram("request_queue_seconds", "The part of it before its turn came.",
                 queueTimes_.values());
  page.one("http_connections_total", "counter", "Connections that were accepted.", now.connections);
  page.one("http_connections_open", "gauge", "Connections that are open.", now.openConnections);
  page.one("http_requests_malformed_total", "counter",
           "Requests answered without asking an app, because they were malformed, too large or "
           "too slow.",
           now.requestsMalformed);
  page.one("http_accept_failures_total", "counter",
           "Times that no connection could be accepted, as a rule for want of file descriptors.",
           now.acceptFailures);
  page.one("requests_running", "gauge", "Requests that a guest is working on.", now.running);
  page.one("requests_queued", "gauge", "Requests that wait for their turn.", now.queued);
  page.one("requests_refused_total", "counter", "Requests refused because the queue was full.",
           now.refused);
  page.head("guests_stopped_total", "counter", "Guests that a limit stopped, by kind.");
  for (std::size_t i = 0; i < kStoppedByNames.size(); ++i) {
    page.sample("guests_stopped_total", str("{limit=\"", kStoppedByNames[i], "\"}"),
                stops_[i].value());
  }
  page.one("isolates_made_total", "counter", "Isolates that were made.", now.isolatesMade);
  page.one("isolates_reset_total", "counter", "Times that one was put back to its snapshot.",
           now.isolatesReset);
  page.one("isolates_discarded_total", "counter", "Isolates that were given up.",
           now.isolatesDiscarded);
  page.one("isolates", "gauge", "Isolates that there are.", now.isolates);
  page.one("isolates_bytes", "gauge", "Memory that they take.", now.isolateBytes);
  page.one("tenants_open", "gauge", "Databases of tenants that are open.", now.openTenants);
  scheduleSamples(page, now);
  page.one("sqlite_statements_total", "counter", "Statements that guests ran.",
           statements_.value());
  page.one("sqlite_rows_total", "counter", "Rows that guests were answered.", rows_.value());
  page.one("log_lines_dropped_total", "counter", "Lines of the log that nobody took in time.",
           now.droppedLogLines);
  const ProcessFigures process = processFigures();
  page.one("process_resident_memory_bytes", "gauge", "Resident memory of this process.",
           process.residentBytes);
  page.one("process_open_fds", "gauge", "Its open file descriptors.", process.openFiles);
  page.one("uptime_seconds", "gauge", "Since the server began.",
           static_cast<std::uint64_t>(uptime().count()));
  page.head("build_info", "gauge", "Versions, as labels; always 1.");
  page.sample(
      "build_info",
      str("{version=\"", escaped(now.version), "\",sqlite=\"", escaped(now.sqliteVersion), "\"}"),
      1);
  return page.take();
}

std::string healthDocument(Health health, std::chrono::seconds uptime, std::string_view version,
                           std::string_view reason) {
  constexpr std::array<std::string_view, 4> kNames{"starting", "ready", "draining", "broken"};
  std::string document = str("{\"status\":\"", kNames[static_cast<std::size_t>(health)],
                             "\",\"uptimeSeconds\":", uptime.count());
  const auto add = [&document](std::string_view name, std::string_view text) {
    if (text.empty()) return;
    document += str(",\"", name, "\":");
    if (!tryAppendJsonString(document, text)) document += "null";  // Not UTF-8.
  };
  add("version", version);
  add("reason", reason);
  return document + '}';
}

}  // namespace schemascript
