#include "serve/request-log.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include "base/error.h"
#include "bridge/text.h"

namespace schemascript {
namespace {

using namespace std::chrono;

constexpr std::string_view kCut = "...";
// A pipe that is writable takes as many without waiting: POSIX, write(), PIPE_BUF.
constexpr std::size_t kBytesAtOnce = 4'096;
constexpr milliseconds kLookInterval{100};

// Control characters, and those that change the direction of writing or end a line.
bool isObeyed(char32_t code) noexcept {
  return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x061c || code == 0x200e ||
         code == 0x200f || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

// Of whole UTF-8 characters up to three bytes; 0 for longer ones, of which none is obeyed.
char32_t codeOf(std::string_view character) noexcept {
  const auto byte = [character](std::size_t at) {
    return static_cast<char32_t>(static_cast<unsigned char>(character[at]));
  };
  if (character.size() == 1) return byte(0);
  if (character.size() == 2) return (byte(0) & 0x1f) << 6 | (byte(1) & 0x3f);
  if (character.size() == 3) {
    return (byte(0) & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f);
  }
  return U'\U0001f600';
}

void appendEscape(std::string& out, char32_t code) {
  std::array<char, 8> escape;
  std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(code));
  out += escape.data();
}

enum class Quotes : bool { AsTheyAre, Escaped };

// `text`, cut at `bytesMax`, such that it can stand inside of a JSON string or on a terminal.
void appendSafe(std::string& out, std::string_view text, std::size_t bytesMax, Quotes quotes) {
  const bool isCut = text.size() > bytesMax;
  if (isCut) {
    std::size_t end = bytesMax;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    text = text.substr(0, end);
  }
  while (!text.empty()) {
    const std::size_t length = characterLength(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
    if (length == 0) {
      out += "\xef\xbf\xbd";
    } else if (isObeyed(codeOf(character))) {
      appendEscape(out, codeOf(character));
    } else {
      if (quotes == Quotes::Escaped && (text.front() == '"' || text.front() == '\\')) out += '\\';
      out += character;
    }
    text.remove_prefix(character.size());
  }
  if (isCut) out += kCut;
}

// `2026-11-23T04:30:15.123Z`: RFC 3339.
std::string formatTime(LogTime time) {
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()),
                static_cast<int>(clock.subseconds().count()));
  return text.data();
}

// Milliseconds with three digits behind the point, whatever the locale.
std::string formatMilliseconds(nanoseconds duration) {
  const auto all = std::max<std::int64_t>(0, duration_cast<microseconds>(duration).count());
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%lld.%03lld", static_cast<long long>(all / 1'000),
                static_cast<long long>(all % 1'000));
  return text.data();
}

class JsonObject {
 public:
  void add(std::string_view name, std::string_view text, std::size_t bytesMax = kLogNameBytesMax) {
    if (text.empty()) return;
    begin(name);
    line_ += '"';
    appendSafe(line_, text, bytesMax, Quotes::Escaped);
    line_ += '"';
  }
  void add(std::string_view name, std::uint64_t number) { raw(name, std::to_string(number)); }
  void raw(std::string_view name, std::string_view value) {
    begin(name);
    line_ += value;
  }
  std::string take() { return std::move(line_) + "}\n"; }

 private:
  void begin(std::string_view name) {
    line_ += line_.empty() ? "{\"" : ",\"";
    line_ += name;
    line_ += "\":";
  }

  std::string line_;
};

// `id` and the tenant, as both text forms begin.
std::string textBegin(LogTime at, std::string_view id, std::string_view tenant) {
  std::string line = formatTime(at).substr(11, 12);  // People know the day.
  for (const std::string_view part : {id, tenant}) {
    if (part.empty()) continue;
    line += ' ';
    appendSafe(line, part, kLogNameBytesMax, Quotes::AsTheyAre);
  }
  return line;
}

std::string_view withoutNewline(std::string_view text) noexcept {
  return text.ends_with('\n') ? text.substr(0, text.size() - 1) : text;
}

std::string linesOf(LogLines form, const auto& record) {
  return form == LogLines::Json ? jsonLine(record) : textLines(record);
}

std::uint64_t countLines(std::string_view lines) noexcept {
  return static_cast<std::uint64_t>(std::count(lines.begin(), lines.end(), '\n'));
}

}  // namespace

std::string jsonLine(const RequestRecord& record) {
  JsonObject line;
  line.add("time", formatTime(record.at));
  line.add("request", record.id);
  line.add("tenant", record.tenant);
  line.add("method", record.method);
  line.add("path", record.path);
  line.add("status", record.status);
  line.raw("ms", formatMilliseconds(record.duration));
  line.raw("queueMs", formatMilliseconds(record.queued));
  line.add("fuel", record.fuel);
  line.add("statements", record.statements);
  line.add("rows", record.rows);
  line.add("heapBytes", record.heapBytes);
  line.add("bytesIn", record.bytesIn);
  line.add("bytesOut", record.bytesOut);
  line.raw("isolateReused", record.isolateReused ? "true" : "false");
  line.add("error", record.error);
  return line.take();
}

std::string jsonLine(const ConsoleRecord& record) {
  JsonObject line;
  line.add("time", formatTime(record.at));
  line.add("request", record.id);
  line.add("tenant", record.tenant);
  line.add("console", record.method);
  line.add("text", withoutNewline(record.text), kLogTextBytesMax);
  return line.take();
}

std::string textLines(const RequestRecord& record) {
  std::string line = textBegin(record.at, record.id, record.tenant);
  for (const std::string_view part : {record.method, record.path}) {
    line += ' ';
    appendSafe(line, part, kLogNameBytesMax, Quotes::AsTheyAre);
  }
  line += str(' ', record.status, ' ', formatMilliseconds(record.duration), "ms");
  if (record.queued >= milliseconds(1)) {
    line += str(" (waited ", formatMilliseconds(record.queued), "ms)");
  }
  if (record.statements > 0) {
    line += str(' ', record.statements, record.statements == 1 ? " statement, " : " statements, ",
                record.rows, record.rows == 1 ? " row" : " rows");
  }
  if (!record.error.empty()) {
    line += ' ';
    appendSafe(line, record.error, kLogNameBytesMax, Quotes::AsTheyAre);
  }
  return line + '\n';
}

std::string textLines(const ConsoleRecord& record) {
  const std::string begin = textBegin(record.at, record.id, record.tenant) + " | ";
  std::string lines;
  std::string_view text = withoutNewline(record.text);
  const bool isCut = text.size() > kLogTextBytesMax;
  text = text.substr(0, kLogTextBytesMax);
  for (;;) {
    const std::size_t end = text.find('\n');
    lines += begin;
    appendSafe(lines, text.substr(0, end), kLogTextBytesMax, Quotes::AsTheyAre);
    if (end == std::string_view::npos) break;
    lines += '\n';
    text.remove_prefix(end + 1);
  }
  if (isCut) lines += kCut;
  return lines + '\n';
}

StatementRecord recordOf(const TracedStatement& statement, LogTime at, std::string_view id,
                         std::string_view tenant) {
  return {.at = at,
          .id = id,
          .tenant = tenant,
          .transaction =
              static_cast<std::uint32_t>(statement.transaction.value_or(TransactionHandle{})),
          .isPush = statement.method == Method::Push,
          .sql = statement.sql,
          .duration = statement.took,
          .waited = statement.waited,
          .rows = statement.rows,
          .changes = statement.changes,
          .values = statement.values,
          .error = statement.error};
}

std::string jsonLine(const StatementRecord& record) {
  JsonObject line;
  line.add("time", formatTime(record.at));
  line.add("request", record.id);
  line.add("tenant", record.tenant);
  line.add(record.isPush ? "push" : "sql", foldSql(record.sql), kLogSqlBytesMax);
  line.raw("ms", formatMilliseconds(record.duration));
  line.raw("waitedMs", formatMilliseconds(record.waited));
  line.add("rows", record.rows);
  line.raw("changes", std::to_string(record.changes));
  if (record.transaction != 0) line.add("transaction", record.transaction);
  line.add("values", record.values);
  line.add("error", record.error);
  return line.take();
}

std::string textLines(const StatementRecord& record) {
  std::string line = textBegin(record.at, record.id, record.tenant);
  line += str(" sql ", formatMilliseconds(record.duration), "ms");
  if (record.waited >= milliseconds(1)) {
    line += str(" (waited ", formatMilliseconds(record.waited), "ms)");
  }
  if (record.rows > 0) line += str(' ', record.rows, record.rows == 1 ? " row" : " rows");
  if (record.changes > 0) {
    line += str(' ', record.changes, record.changes == 1 ? " change" : " changes");
  }
  if (!record.error.empty()) line += " failed";
  line += " | ";
  if (record.transaction != 0) line += str("tx ", record.transaction, ": ");
  if (record.isPush) line += "push: ";
  appendSafe(line, foldSql(record.sql), kLogSqlBytesMax, Quotes::AsTheyAre);
  for (const std::string_view part : {record.values, record.error}) {
    if (part.empty()) continue;
    line += " | ";
    appendSafe(line, part, kLogNameBytesMax, Quotes::AsTheyAre);
  }
  return line + '\n';
}

RequestLog::RequestLog(int file, RequestLogOptions options)
    : file_(file), options_(options), thread_([this] { run(); }) {}

RequestLog::~RequestLog() {
  {
    const std::lock_guard lock(mutex_);
    isClosing_ = true;
    closeBy_ = steady_clock::now() + options_.closeTimeMax;
  }
  hasWork_.notify_one();
  thread_.join();
}

void RequestLog::add(const RequestRecord& record) noexcept { addRecord(record); }
void RequestLog::add(const ConsoleRecord& record) noexcept { addRecord(record); }
void RequestLog::add(const StatementRecord& record) noexcept { addRecord(record); }

template <typename Record>
void RequestLog::addRecord(const Record& record) noexcept {
  try {
    push(linesOf(options_.form, record));
  } catch (const std::exception&) {  // No memory is left.
    const std::lock_guard lock(mutex_);
    ++dropped_;
  }
}

void RequestLog::push(std::string_view lines) {
  {
    const std::lock_guard lock(mutex_);
    if (lines.size() >
        options_.waitingBytesMax - std::min(options_.waitingBytesMax, waiting_.size())) {
      dropped_ += countLines(lines);
      return;
    }
    waiting_ += lines;
  }
  hasWork_.notify_one();
}

void RequestLog::flush() {
  std::unique_lock lock(mutex_);
  isIdle_.wait(lock, [this] { return waiting_.empty() && !isWriting_; });
}

std::uint64_t RequestLog::droppedLines() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

std::string RequestLog::droppedLine(std::uint64_t lines) const {
  const LogTime now = floor<milliseconds>(system_clock::now());
  if (options_.form == LogLines::Text) {
    return str(formatTime(now).substr(11, 12), " ", lines, " lines of this log were dropped\n");
  }
  JsonObject line;
  line.add("time", formatTime(now));
  line.add("droppedLines", lines);
  return line.take();
}

void RequestLog::run() noexcept {
  std::string lines;
  std::unique_lock lock(mutex_);
  for (;;) {
    hasWork_.wait(lock, [this] { return isClosing_ || !waiting_.empty(); });
    if (waiting_.empty()) break;
    lines.swap(waiting_);
    isWriting_ = true;
    const std::uint64_t dropped = dropped_;
    const std::uint64_t unsaid = dropped - droppedSaid_;
    droppedSaid_ = dropped;
    lock.unlock();
    write(lines);
    lines.clear();
    try {
      if (unsaid > 0) write(droppedLine(unsaid));
    } catch (const std::exception&) {  // Then nobody hears of it; the counter has it.
    }
    lock.lock();
    isWriting_ = false;
    if (waiting_.empty()) isIdle_.notify_all();
  }
}

bool RequestLog::hasToGiveUp() const {
  const std::lock_guard lock(mutex_);
  return isClosing_ && steady_clock::now() >= closeBy_;
}

// False when it never will be.
bool RequestLog::waitUntilWritable() noexcept {
  if (file_ < 0) return false;
  for (;;) {
    pollfd file{file_, POLLOUT, 0};
    const int ready = ::poll(&file, 1, static_cast<int>(kLookInterval.count()));
    if (ready > 0) return (file.revents & POLLNVAL) == 0;
    if (ready < 0 && errno != EINTR) return false;
    if (hasToGiveUp()) return false;
  }
}

void RequestLog::write(std::string_view lines) noexcept {
  while (!lines.empty() && waitUntilWritable()) {
    const ssize_t written = ::write(file_, lines.data(), std::min(lines.size(), kBytesAtOnce));
    if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (written < 0) break;  // The reader has gone, or the disk is full.
    lines.remove_prefix(static_cast<std::size_t>(written));
  }
  if (lines.empty()) return;
  const std::lock_guard lock(mutex_);
  dropped_ += countLines(lines);
}

}  // namespace schemascript
