// SchemaScript inside of a C++ program: load an app once, call the functions that it exports, each
// call in a sandbox of its own, beside a SQLite database. docs/embed.md is the guide.
//
//     schemascript::Runtime runtime;
//     auto database = runtime.open("app.db");
//     auto app = runtime.loadFile("app.js");
//     auto answer = app.call(database, "hello", R"({"name":"Ada"})");
//     std::cout << answer.result << '\n';
//
// Threads. Every function may be called from any thread, several at once on the same object; only
// assigning to an object, moving from it and destroying it must not happen while another thread
// uses that very object. Guests run on threads of the runtime's own, because they need a large
// stack and one for signals; call() waits for them, callAsync() does not.
//
// Lifetimes. Runtime, Database and App are handles. They may be destroyed in any order: a call that
// runs keeps what it needs. The end of the Runtime waits for all its calls; what is called on its
// apps after that is answered Unavailable.
//
// Errors. Whatever cannot be done is thrown as Error, and nothing else is, but std::bad_alloc. What
// fails without having begun has changed nothing.
//
// Versions. All names are in an inline namespace, and the library's file name has the version: a
// program that was compiled with this header runs with a library of the same major and minor
// version. Strings and functions of the standard library pass the boundary, so both are to be
// compiled with the same standard library.
#pragma once

#include <schemascript/limits.h>
#include <schemascript/version.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#define SCHEMASCRIPT_API __attribute__((visibility("default")))

namespace schemascript {
inline namespace v0 {

// Who has to act.
enum class ErrorCode : std::uint8_t {
  InvalidRequest,  // The program: an argument that is not JSON, no such export, an option.
  NotAllowed,      // Nobody: this is refused by rule.
  Conflict,        // The program: it disagrees with what is stored.
  Unavailable,     // Whoever runs the machine, or the program, later: a full queue, a locked file.
  LimitExceeded,   // The author of the app, with less; or whoever sets the Limits.
  GuestFailed,     // The author of the app: it threw, trapped, or waits for ever. See guest().
  Internal,        // Us. Please report it.
};

// `invalid-request` and so on. Valid for ever.
SCHEMASCRIPT_API std::string_view nameOf(ErrorCode code) noexcept;

enum class LogStream : std::uint8_t { Output = 1, Error = 2 };

// What an app wrote at once, usually a line with its end: console.log to Output, console.error to
// Error. The app's words: they may hold escape characters of a terminal.
struct LogEntry {
  LogStream stream = LogStream::Output;
  std::string text;  // UTF-8.
};

// Receives what an app writes, on the thread that runs it, while the app waits. The text is valid
// until it returns. What it throws ends the call, or the load, with Internal and its message.
using LogSink = std::function<void(LogStream, std::string_view)>;

// An error as the app threw it. The app's words, not to be acted upon.
struct GuestError {
  std::string name;  // `TypeError`; empty when something was thrown that is not an error.
  std::string message;
  std::string stack;  // Lines `    at name (schemascript:app:line:column)`, of the bundle.
  std::string code;   // `conflict`, `not-allowed`, ...: of errors that the database answered.
  std::vector<GuestError> causes;  // At most one.
  std::vector<GuestError> errors;  // Of an AggregateError.
};

// What one call took. The same call on the same database takes the same `fuel`, `statements`,
// `rows`, `answerBytes` and `logBytes` each time.
struct Cost {
  std::chrono::nanoseconds wall{};       // From its beginning to its end, without the queue.
  std::chrono::nanoseconds processor{};  // Of the thread that ran it.
  std::chrono::nanoseconds sqlTime{};    // In SQLite, waiting for other writers included.
  std::uint64_t fuel = 0;                // Jumps, calls and steps of regular expressions.
  std::uint64_t heapBytes = 0;           // The most that its heap held.
  std::uint64_t statements = 0;
  std::uint64_t rows = 0;         // That statements answered,
  std::uint64_t answerBytes = 0;  // and their bytes, encoded.
  std::uint64_t logBytes = 0;     // What it wrote, with what was dropped of it.
  bool logTruncated = false;      // Something was dropped: more than logBytesMax.
};

// The one exception of this library. Copying it is cheap and does not throw.
class SCHEMASCRIPT_API Error : public std::exception {
 public:
  struct Parts;

  explicit Error(std::shared_ptr<const Parts> parts) noexcept;
  Error(const Error&) noexcept;
  Error& operator=(const Error&) noexcept;
  ~Error() override;

  // One sentence that names what failed, on what, and the number that mattered, with no value that
  // was bound to a statement. Valid as long as a copy of this error lives, like all below.
  const char* what() const noexcept override;
  ErrorCode code() const noexcept;
  // What the app threw; null unless it did.
  const GuestError* guest() const noexcept;
  // Of the call that failed, up to its end; zeros when it did not begin.
  const Cost& cost() const noexcept;
  // What that call wrote, unless it had a LogSink.
  const std::vector<LogEntry>& log() const noexcept;

 private:
  std::shared_ptr<const Parts> parts_;  // Owned by all copies.
};

// What a function of an app is called with: nothing, JSON, or bytes. Holds a copy.
class Argument {
 public:
  Argument() = default;
  // JSON text, in UTF-8. Empty: no argument.
  Argument(std::string json) : value_(std::move(json)) {}
  Argument(std::string_view json) : value_(json) {}
  Argument(const char* json) : value_(json) {}
  // The function gets a Uint8Array with these bytes.
  Argument(std::span<const std::byte> bytes)
      : value_(reinterpret_cast<const char*>(bytes.data()), bytes.size()), isBytes_(true) {}
  static Argument bytes(std::string_view bytes) { return std::as_bytes(std::span(bytes)); }

  const std::string& value() const noexcept { return value_; }
  bool isBytes() const noexcept { return isBytes_; }

 private:
  std::string value_;
  bool isBytes_ = false;
};

// What a call came to.
struct Answer {
  enum class Kind : std::uint8_t {
    Undefined,  // The function returned undefined, or what JSON has no form for.
    Json,
    Bytes,  // It returned a Uint8Array or an ArrayBuffer.
  };

  Kind kind = Kind::Undefined;
  std::string result;  // JSON text in UTF-8, or the bytes, or nothing.
  // What the call wrote, unless it had a LogSink. At most logBytesMax.
  std::vector<LogEntry> log;
  // Transactions that the call left open, which were rolled back.
  std::size_t rolledBack = 0;
  Cost cost;

  std::span<const std::byte> bytes() const noexcept { return std::as_bytes(std::span(result)); }
};

// How a call ended: one of the two is there.
struct Outcome {
  std::optional<Answer> answer{};
  std::optional<Error> error{};
};

// Receives how a call ended, on a thread of the runtime, which waits for it: it should be short. An
// exception that leaves it ends the program, as with std::thread. In it, and in a LogSink, call()
// is refused, because it would wait for its own thread; callAsync() may be used. The Runtime must
// not end there.
using Callback = std::function<void(Outcome)>;

// What a call may touch: tables and columns, as docs/capabilities.md has them. Immutable; copies
// share what they hold, so make it once for many calls.
class SCHEMASCRIPT_API Capabilities {
 public:
  // Each entry is `table`, `table.column` or `*`. Throws InvalidRequest naming the entry that is
  // wrong.
  Capabilities(const std::vector<std::string>& reads, const std::vector<std::string>& writes);

 private:
  friend class App;
  std::shared_ptr<const void> parsed_;
};

// What one call finds of the calls before it.
enum class Isolation : std::uint8_t {
  Request,  // Nothing: it starts from what loading the app left.
  Worker,   // What earlier calls for the same database left, of those that the same thread of the
            // runtime has served. Never anything certain: good for caches.
};

struct RuntimeOptions {
  // Where guest.so, park.so and base.snapshot are. Empty: the folder that the environment variable
  // SCHEMASCRIPT_GUEST_FOLDER names, else `schemascript` beside the library, else that of the
  // prefix for which the library was built.
  std::filesystem::path guestFolder{};
  // Where loaded apps are kept for the next start, in a folder `apps`; made when it is missing. A
  // file that is damaged or of another version is made anew. Nothing in it is ever removed: delete
  // it whenever you like. Whoever may write there may change what apps do. Empty: nowhere.
  std::filesystem::path cacheFolder{};
  // Threads that run guests. 0: as many as the machine has processors.
  unsigned threads = 0;
  // Calls that wait for a thread. One more is refused with Unavailable.
  std::size_t queueMax = 1'000;
  // Calls of one tenant that run at the same time; 0: as many as there are threads. With less,
  // there is a thread left for the others when all calls of one tenant loop for ever.
  unsigned runningPerTenantMax = 0;
  // Calls of one tenant that wait; 0: queueMax. So that one tenant cannot fill the queue.
  std::size_t waitingPerTenantMax = 0;
  // Memory that guests which wait for their next call may hold, all together. Those that are over
  // it are given up, and made again when they are needed.
  std::uint64_t isolateBytesMax = 512ull << 20;
};

struct DatabaseOptions {
  bool readOnly = false;  // Of the file itself. It must exist then.
  // Those of the database: databaseBytesMax, temporaryBytesMax, sqliteBytesMax, connectionsMax,
  // waitingWritersMax, busyTimeMax, cachedStatementsMax, cachedSqlBytesMax, valueBytesMax and the
  // like. Others are of an app or a call.
  Limits limits{};
};

struct AppOptions {
  Limits limits{};  // Of loading it, and of every call that has none of its own.
  std::vector<std::string> arguments{};  // The app's `args`.
  Isolation isolation = Isolation::Request;
  // Receives what the app writes while it is loaded. Empty: nobody does.
  LogSink log{};
};

struct CallOptions {
  // Instead of the app's; memoryBytesMax must be the same, because the app was loaded with it.
  std::optional<Limits> limits{};
  // Receives what the call writes. Empty: the answer has it.
  LogSink log{};
  // Whose call it is. Those of one tenant are done in the order in which they came, and take turns
  // with those of others. Empty: of the one that has no name.
  std::string tenant{};
  // How long it may wait in the queue; it is refused with Unavailable, and nothing was run, when
  // its turn comes later. None: for ever.
  std::optional<std::chrono::milliseconds> queueTimeMax{};
  // Ends the call when stop is requested of it, from any thread, without waiting for that: for a
  // caller that went away. It ends with Unavailable then, within milliseconds, wherever it is; in
  // the queue, when its turn comes. What it has committed stays, what it left open is rolled back.
  // A call that has ended meanwhile is not changed by it.
  std::stop_token stop{};
  bool readOnly = false;  // What changes the database is refused.
  // What the call may touch; none: everything.
  std::optional<Capabilities> capabilities{};
  // Messages about failed statements show the values that were bound. Never for strangers.
  bool showBoundValues = false;
};

// Tables, indexes, views and triggers, as `table users`.
struct PushResult {
  std::vector<std::string> created;
  std::vector<std::string> unchanged;
};

class App;

// A SQLite database, with a pool of connections. A handle: copies are of the same database, which
// is closed after the last of them and the last call that uses it. Opening one file twice is
// allowed, but writers then wait for each other as those of two processes do.
class SCHEMASCRIPT_API Database {
 public:
  // As it was opened; "the database in memory".
  const std::string& name() const noexcept;

  // Creates the tables, indexes, views and triggers that `app` declares and that are missing, all
  // or none. The app's module is evaluated once more for it. Throws Conflict, with a line for each
  // difference, when one exists and differs, and as load() and a call do.
  PushResult push(const App& app) const;

 private:
  friend class App;
  friend class Runtime;
  struct Parts;
  explicit Database(std::shared_ptr<const Parts> parts) noexcept;
  std::shared_ptr<const Parts> parts_;
};

// An app that was loaded. A handle: copies are of the same app.
class SCHEMASCRIPT_API App {
 public:
  // Calls the function that the app exports as `name`, from its module or from its default export,
  // and waits for its end. Throws InvalidRequest when there is no such function, the argument is
  // not JSON, or this is a thread of the runtime; GuestFailed, LimitExceeded; Unavailable when
  // queueMax calls wait already, no guest can be made, or the Runtime has ended.
  Answer call(const Database& database, std::string_view name, Argument argument = {},
              const CallOptions& options = {}) const;

  // The same without waiting. What is wrong before the call could be queued is thrown at once;
  // everything else is for the future. Its end does not wait for the call.
  std::future<Answer> callAsync(const Database& database, std::string_view name,
                                Argument argument = {}, const CallOptions& options = {}) const;

  // The same; `callback` is called exactly once, unless this throws.
  void callAsync(const Database& database, std::string_view name, Argument argument,
                 Callback callback, const CallOptions& options = {}) const;

  // Whether loading it found its snapshot in the cache, and evaluated nothing.
  bool fromCache() const noexcept;

 private:
  friend class Database;
  friend class Runtime;
  struct Parts;
  explicit App(std::shared_ptr<const Parts> parts) noexcept;
  std::shared_ptr<const Parts> parts_;
};

// The engine and the threads that run guests. Several may live at the same time: they share one
// engine, because it installs handlers for SIGSEGV, SIGBUS and SIGFPE for the whole process, and
// have threads and queues of their own. They must use the same guest folder.
class SCHEMASCRIPT_API Runtime {
 public:
  // Takes some milliseconds. Throws Unavailable, saying where it has looked, when the guest's files
  // are not found or are those of another build; InvalidRequest when another Runtime of this
  // process uses another guest folder.
  explicit Runtime(const RuntimeOptions& options = {});
  // Waits for all calls, those in the queue too.
  ~Runtime();
  Runtime(Runtime&&) noexcept;
  Runtime& operator=(Runtime&&) noexcept;
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // Opens the file, or creates it. Throws InvalidRequest (no such folder, not a database) and
  // Unavailable (not writable, locked, damaged).
  Database open(const std::filesystem::path& file, const DatabaseOptions& options = {}) const;
  // A database in memory of its own, which ends with its last handle.
  Database openInMemory(const DatabaseOptions& options = {}) const;

  // Loads an app: evaluates `bundle`, the text of one ES module, whose imports are `schemascript`,
  // `drizzle-orm` and its built-in parts only. `schemascript bundle app.ts --output app.js` makes
  // one of TypeScript. Module scope has no database, clock, randomness or timers: every call starts
  // from what it left. Throws GuestFailed, LimitExceeded, Unavailable, and what the log throws.
  App load(std::string_view bundle, const AppOptions& options = {}) const;
  // Loads the text of a file. Throws InvalidRequest when it cannot be read, too.
  App loadFile(const std::filesystem::path& file, const AppOptions& options = {}) const;

  // Where the guest's files were found.
  std::filesystem::path guestFolder() const;

 private:
  struct Core;
  friend class App;
  friend class Database;
  std::shared_ptr<Core> core_;
};

}  // namespace v0
}  // namespace schemascript
