// What a server counts, for whoever watches it: https://prometheus.io and load balancers.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace schemascript {

// Goes up only. Added to without locks, each thread mostly in a cache line of its own.
class ShardedCounter {
 public:
  void add(std::uint64_t amount = 1) noexcept;
  // What was added before is in it; what is added meanwhile may be.
  std::uint64_t value() const noexcept;

 private:
  struct alignas(64) Shard {
    std::atomic<std::uint64_t> value{0};
  };
  std::array<Shard, 8> shards_;
};

// How long things take, from 1 ms to 30 s. Without locks.
class DurationHistogram {
 public:
  // The upper bounds, in milliseconds; each belongs to its bucket.
  static constexpr std::array<std::uint32_t, 14> kBounds{
      1, 2, 5, 10, 25, 50, 100, 250, 500, 1'000, 2'500, 5'000, 10'000, 30'000};

  void add(std::chrono::nanoseconds duration) noexcept;

  struct Values {
    std::array<std::uint64_t, kBounds.size() + 1> buckets{};  // Not added up. The last: all longer.
    std::chrono::nanoseconds sum{};
  };
  Values values() const noexcept;

 private:
  std::array<ShardedCounter, kBounds.size() + 1> buckets_;
  ShardedCounter nanoseconds_;
};

// By which limit a guest was stopped.
enum class StoppedBy : std::uint8_t { Time, Fuel, Memory, Database, Other };
inline constexpr std::array<std::string_view, 5> kStoppedByNames{"time", "fuel", "memory",
                                                                 "database", "other"};

// Of one schedule, over all databases.
struct ScheduleFigures {
  std::string cron{};
  std::size_t due = 0;      // Claimed, but the queue has no room.
  std::size_t running = 0;  // In the queue, or on a thread.
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;   // Attempts.
  std::uint64_t givenUp = 0;  // Due times that no attempt was left for.
  std::string lastError{};
};

// What is asked for when somebody looks, because somebody else counts it.
struct MetricsNow {
  std::size_t running = 0;
  std::size_t queued = 0;
  std::uint64_t refused = 0;
  std::uint64_t isolatesMade = 0;
  std::uint64_t isolatesReset = 0;
  std::uint64_t isolatesDiscarded = 0;
  std::size_t isolates = 0;
  std::uint64_t isolateBytes = 0;
  std::uint64_t droppedLogLines = 0;
  std::size_t openTenants = 0;
  // Of the HTTP server: HttpCounters.
  std::uint64_t connections = 0;
  std::uint64_t openConnections = 0;
  std::uint64_t requestsMalformed = 0;
  std::uint64_t acceptFailures = 0;
  std::vector<ScheduleFigures> schedules{};
  std::size_t failingScheduleDatabases = 0;
  std::string_view version{};  // Of this program.
  std::string_view sqliteVersion{};
};

struct ProcessFigures {
  std::uint64_t residentBytes = 0;
  std::size_t openFiles = 0;
};
// Of this process, from /proc; 0 where that cannot be read.
ProcessFigures processFigures() noexcept;

// The counters of one server. Any thread. No metric has a label whose values come from outside,
// such as the tenant: each new one would be kept for ever. Schedules are the operator's own.
class Metrics {
 public:
  // `duration` is all of the request's, `queued` the part of it before its turn came.
  void countRequest(std::uint16_t status, std::chrono::nanoseconds duration,
                    std::chrono::nanoseconds queued) noexcept;
  void countStop(StoppedBy limit) noexcept;
  void countDatabaseUse(std::uint64_t statements, std::uint64_t rows) noexcept;

  // All in the text format of Prometheus, version 0.0.4:
  // https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
  std::string render(const MetricsNow& now) const;

  std::chrono::seconds uptime() const noexcept;

 private:
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::array<ShardedCounter, 6> requests_;  // 1xx to 5xx, and anything else.
  DurationHistogram durations_;
  DurationHistogram queueTimes_;
  std::array<ShardedCounter, kStoppedByNames.size()> stops_;
  ShardedCounter statements_;
  ShardedCounter rows_;
};

inline constexpr std::string_view kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

enum class Health : std::uint8_t { Starting, Ready, Draining, Broken };
// Whether requests should be sent here.
constexpr bool isReady(Health health) noexcept { return health == Health::Ready; }
// One JSON object, without a newline: `{"status":"ready","uptimeSeconds":3,"version":"0.1.0"}`.
// `reason` says what is broken; empty: it is left out.
std::string healthDocument(Health health, std::chrono::seconds uptime, std::string_view version,
                           std::string_view reason = {});

}  // namespace schemascript
