// What a server writes about its requests: a line for each, what the apps print to their console,
// and, where that is asked for, their SQL.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "bridge/statement-trace.h"

namespace schemascript {

using LogTime = std::chrono::sys_time<std::chrono::milliseconds>;

// All views are read before add() returns. What is empty is left out of the line.
struct RequestRecord {
  LogTime at{};           // When it came.
  std::string_view id{};  // The same in each line of one request.
  std::string_view tenant{};
  std::string_view method{};
  std::string_view path{};  // Without the query, where secrets are.
  std::uint16_t status = 0;
  std::chrono::nanoseconds duration{};  // Until the answer's last byte.
  std::chrono::nanoseconds queued{};    // The part of it before its turn came.
  std::uint64_t fuel = 0;
  std::uint64_t statements = 0;
  std::uint64_t rows = 0;
  std::uint64_t heapBytes = 0;
  std::uint64_t bytesIn = 0;  // Of bodies.
  std::uint64_t bytesOut = 0;
  bool isolateReused = false;
  std::string_view error{};  // The name of what went wrong, such as `LimitExceeded`.
};

// What an app printed with one call of `console`.
struct ConsoleRecord {
  LogTime at{};
  std::string_view id{};  // Of the request.
  std::string_view tenant{};
  std::string_view method{};  // `log`, `error` and so on.
  std::string_view text{};    // As it would be printed; one newline at its end does not count.
};

// One statement that an app executed.
struct StatementRecord {
  LogTime at{};           // When it had been executed.
  std::string_view id{};  // Of the request.
  std::string_view tenant{};
  std::uint32_t transaction = 0;  // As TracedStatement has it; 0: none.
  bool isPush = false;            // `sql` is a schema that was pushed.
  std::string_view sql{};         // Is written on one line, as foldSql() does it.
  std::chrono::nanoseconds duration{};
  std::chrono::nanoseconds waited{};  // The part of it for locks and its turn to write.
  std::uint64_t rows = 0;             // Answered.
  std::int64_t changes = 0;
  std::string_view values{};  // Those that were bound, if they are to be shown.
  std::string_view error{};   // The message; empty: it succeeded.
};

// What the log has of a traced statement; its views lead into `statement`.
StatementRecord recordOf(const TracedStatement& statement, LogTime at, std::string_view id,
                         std::string_view tenant);

// Longer paths and names, and longer texts, are cut, and end with `...` then.
inline constexpr std::size_t kLogNameBytesMax = 2'048;
inline constexpr std::size_t kLogTextBytesMax = 64 * 1'024;
// The same for SQL, on its one line.
inline constexpr std::size_t kLogSqlBytesMax = 8 * 1'024;

// One JSON object (RFC 8259) in one line, with its newline. What is not UTF-8 becomes U+FFFD; all
// that a terminal could obey is escaped.
std::string jsonLine(const RequestRecord& record);
std::string jsonLine(const ConsoleRecord& record);
std::string jsonLine(const StatementRecord& record);
// For people: a line for a request or a statement, and one for each line of what was printed.
std::string textLines(const RequestRecord& record);
std::string textLines(const ConsoleRecord& record);
std::string textLines(const StatementRecord& record);

enum class LogLines : std::uint8_t { Json, Text };

struct RequestLogOptions {
  LogLines form = LogLines::Json;
  // Lines that wait for whoever reads the log. More are dropped, and a line says how many.
  std::size_t waitingBytesMax = 4 << 20;
  // How long the destructor waits for a reader that does not read.
  std::chrono::milliseconds closeTimeMax{2'000};
};

// Lines are made on the thread that adds them and written by a thread of the log's own, so that a
// reader that stops, or a slow disk, holds up nobody. Thread-safe, but for being destroyed.
class RequestLog {
 public:
  // Does not own `file`, to which nobody else should write meanwhile. The program ignores SIGPIPE.
  RequestLog(int file, RequestLogOptions options = {});
  // Writes what waits.
  ~RequestLog();
  RequestLog(const RequestLog&) = delete;
  RequestLog& operator=(const RequestLog&) = delete;

  // Never wait for the reader, and never throw: what cannot be kept is counted.
  void add(const RequestRecord& record) noexcept;
  void add(const ConsoleRecord& record) noexcept;
  void add(const StatementRecord& record) noexcept;

  // Returns when all that was added before has been written, or could not be. With a reader that
  // does not read, that is never.
  void flush();

  // Lines that nobody will see.
  std::uint64_t droppedLines() const;

 private:
  template <typename Record>
  void addRecord(const Record& record) noexcept;
  void push(std::string_view lines);
  std::string droppedLine(std::uint64_t lines) const;
  void run() noexcept;
  void write(std::string_view lines) noexcept;
  bool waitUntilWritable() noexcept;
  bool hasToGiveUp() const;

  const int file_;
  const RequestLogOptions options_;

  mutable std::mutex mutex_;  // Guards what follows, but the thread. Not held while writing.
  std::condition_variable hasWork_;
  std::condition_variable isIdle_;
  std::string waiting_;
  std::uint64_t dropped_ = 0;
  std::uint64_t droppedSaid_ = 0;  // Of `dropped_`, those that a line has told of.
  bool isWriting_ = false;
  bool isClosing_ = false;
  std::chrono::steady_clock::time_point closeBy_{};

  std::thread thread_;
};

}  // namespace schemascript
