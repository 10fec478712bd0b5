// Apps whose exported functions are called: loaded once, then called in isolates that start from
// what loading left. The server will be made of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "bridge/session.h"
#include "database/connection-pool.h"
#include "runtime/ending.h"
#include "runtime/http-message.h"
#include "sandbox/engine.h"
#include "sandbox/instance.h"
#include "sandbox/snapshot.h"
#include "sandbox/watchdog.h"

namespace schemascript {

using LogSink = std::function<void(LogStream, std::string_view)>;

struct AppOptions {
  Limits limits;
  std::vector<std::string> arguments{};  // The app's `args`.
  // The JSON object that the app's handlers get as `env`; empty: one without members. It may have
  // secrets in it, so it is never part of the snapshot's file.
  std::string environment{};
  // Receives what the app writes while it is loaded, on the thread that loads it.
  LogSink log{};
  // Where the app's snapshot is kept for the next time; empty: nowhere. Its folder must exist. A
  // file that is damaged, or was made from anything else, is made anew; one that cannot be written
  // is done without.
  std::filesystem::path snapshotFile{};
};

// An app that was loaded: the snapshot of its bundle, and its limits. Immutable; isolates of many
// threads share it.
class App {
 public:
  struct Loaded;

  // Evaluates `bundle`, an ES module, unless `snapshotFile` has what that left. Throws
  // InvalidRequest when memoryBytesMax is less than a guest takes, Unavailable when no guest can be
  // made, and whatever `log` throws; what the app did wrong is in the answer. Keeps references to
  // `engine`.
  static Loaded load(const Engine& engine, Watchdog& watchdog, std::string_view bundle,
                     AppOptions options);

  // 32 characters that name everything that the snapshot of such an app is made from: the guest,
  // the bundle, and those of `options` that shape it. For naming `snapshotFile`.
  static std::string inputsOf(const Engine& engine, std::string_view bundle,
                              const AppOptions& options);

  const Engine& engine() const noexcept { return engine_; }
  const Limits& limits() const noexcept { return limits_; }
  const Snapshot& snapshot() const noexcept { return snapshot_; }

 private:
  App(const Engine& engine, Limits limits, Snapshot snapshot);

  const Engine& engine_;
  const Limits limits_;
  const Snapshot snapshot_;
};

struct App::Loaded {
  // Null unless it ended with Answered. Owned by all isolates of the app together.
  std::shared_ptr<const App> app;
  CallEnd end = CallEnd::Answered;
  ErrorDescription error;
  bool fromFile = false;  // Nothing was evaluated.
};

// What a call finds of the call before it in the same isolate.
enum class Isolation : std::uint8_t {
  Request,  // Nothing.
  Worker,   // All that it left: globals, the module's state, timers. Unless it was stopped, ran out
            // of fuel or memory, or trapped; the call after that starts from the snapshot.
};

struct IsolateOptions {
  Isolation isolation = Isolation::Request;
  ResetCheck resetCheck = ResetCheck::No;
};

// What of an app is called.
enum class CallKind : std::uint8_t {
  Function,   // One that it exports.
  Fetch,      // The handler of HTTP requests in its default export.
  Scheduled,  // That of events.
};

struct CallRequest {
  std::string_view name{};  // Of a function that the app exports; of handlers not looked at.
  // JSON; empty: no argument. Or bytes, for a Uint8Array. Of Fetch the message of encodeFetch(), of
  // Scheduled the event as JSON.
  std::string_view argument{};
  CallKind kind = CallKind::Function;
  // None: the app's. memoryBytesMax is the app's in any case, and must be the same.
  std::optional<Limits> limits{};
  // Receives what the call writes, on the thread that called; may be empty.
  LogSink log{};
  bool readOnly = false;                               // The call may only read.
  std::shared_ptr<const Capabilities> capabilities{};  // What it may touch; null: everything.
  BoundValueDisplay boundValues = BoundValueDisplay::Hidden;  // In messages and the trace.
  // Is told of the call's SQL, on the thread that called; may be empty. As SessionOptions has it.
  StatementSink trace{};
  Payload argumentKind = Payload::Json;
  // Whether Cost::processor is wanted: two system calls for each turn on a thread.
  bool measuresProcessor = true;
  // Ends this call, and no other one, when stop is requested of it, from any thread: at once as a
  // rule, after Watchdog::kGrace at the latest. A call that has ended meanwhile is not changed by
  // it. What the call has committed stays; what it left open is rolled back.
  std::stop_token stop{};
};

struct CallReport {
  struct Cost {
    std::chrono::nanoseconds wall{};
    std::chrono::nanoseconds processor{};  // Of the thread that called.
    std::uint64_t heapBytes = 0;           // The most that QuickJS's heap held.
    // Jumps and calls of JavaScript, and steps of regular expressions; fuelMax where that was
    // exceeded. The same call on the same database costs the same, unless time has a part in it.
    std::uint64_t fuel = 0;
    std::uint64_t statements = 0;        // Executed; each of a batch.
    std::uint64_t rows = 0;              // Answered by all of them.
    std::chrono::nanoseconds sqlTime{};  // In SQLite, and waiting for other writers.
    std::uint64_t answerBytes = 0;       // Of all answers, encoded.
    std::uint64_t logBytes = 0;          // What the call wrote, with what was dropped of it.
    bool logTruncated = false;           // Something was dropped: more than logBytesMax.
  };

  CallEnd end = CallEnd::Answered;
  std::string result;  // JSON; empty: undefined. Or the bytes of a Uint8Array or ArrayBuffer.
  Payload resultKind = Payload::Json;
  ErrorDescription error;
  std::size_t rolledBack = 0;  // Transactions that the call left open, which were rolled back.
  Cost cost;
};

// How far a call has come that was begun.
struct CallStep {
  enum class State : std::uint8_t {
    Ended,      // finish() says how.
    Waits,      // For a timer; nothing to do before `until`.
    WantsBody,  // The same, or for the next piece of the request's body, whichever comes first.
    Response,   // Of Fetch: response() has the head of the answer, and the first part of its body.
    Piece,      // piece() has the next part.
  };
  State state = State::Ended;
  // When to call advance() at the latest: at the next timer, or when the call's time is over.
  std::chrono::steady_clock::time_point until{};
};

// One guest of an app, called again and again. One thread at a time may use it, which GuestThread
// made; between calls, and while one is parked, another one may take over.
class Isolate {
 public:
  // Keeps a reference to `watchdog`, which must outlive it. Makes its guest at the first call, or
  // in refresh().
  Isolate(std::shared_ptr<const App> app, Watchdog& watchdog, IsolateOptions options = {});
  ~Isolate();
  Isolate(const Isolate&) = delete;
  Isolate& operator=(const Isolate&) = delete;

  // Calls a function of the app, whose queries go to `database`. The call has its limits, and a
  // session of its own. Throws InvalidRequest for another memoryBytesMax than the app's,
  // Unavailable when no guest can be made, Internal for bugs of ours, and what log and trace throw;
  // how the call ended, however badly, is in the report. Can be called again after anything. With
  // Isolation::Worker, calls for another database find what those for the first one left.
  CallReport call(ConnectionPool& database, const CallRequest& request);

  // The same in steps, for whoever has something else to do while a call waits: begin(), advance()
  // until it has Ended, finish(). Each throws as call() does; the call is over then. `request` and
  // what its views name are needed during begin() alone, `database` to the end. The clock of the
  // call's time limit goes on between the steps.
  void begin(ConnectionPool& database, CallRequest request);
  CallStep advance();
  // Leaves the call to whichever thread goes on with it. Not with hasTransaction(), unless that
  // thread is sure to: whoever waits to write would wait for a call that nobody advances.
  void park() noexcept;
  bool hasTransaction() const noexcept;
  CallReport finish();
  // Lets a call end that its caller does not go on with: as TimeExceeded when its time is over,
  // else as Cancelled. The next advance() says so. Nothing when it has ended already.
  void giveUp(std::string_view why);
  // Ends a call whose report nobody wants.
  void abandon() noexcept;
  bool isRunning() const noexcept { return call_ != nullptr; }

  // After Response and Piece. What follows is made by the next advance().
  FetchResponse& response() noexcept;
  BodyPiece& piece() noexcept;
  // Gives a handler of Fetch a piece of its request's body; when it does not want one, only that
  // the client has gone is of interest to it. Not once the call has Ended.
  void receive(std::string_view bytes, Instance::BodyState state);

  // Does now, while nobody waits, what the next call would begin with: puts the guest back to the
  // snapshot, or makes one. Nothing in it belongs to the last call afterwards. Throws Unavailable.
  void refresh();
  // Whether the next call has something to do first that refresh() would do now.
  bool needsRefresh() const noexcept { return state_ == State::Absent || state_ == State::Used; }

  // Whether its guest has been called before.
  bool hasServed() const noexcept { return hasServed_; }

  // Whether there is a guest. It can be discarded at any time between calls; the next call, or
  // refresh(), makes another one.
  bool isMade() const noexcept { return instance_ != nullptr; }
  void discard() noexcept;

  // For a guest that will not be called soon: gives memory back that the next call gets again,
  // some 50 to 200 us later than otherwise. With Isolation::Request it is put back, too.
  void rest() noexcept;

  // About what it takes of the machine's memory: what its guest wrote, and what a guest takes
  // beside that. Not the connections of its calls. Takes as long as Instance::privateBytes().
  std::uint64_t residentBytes() const;

 private:
  class Call;

  void make(ConnectionPool& database, CallRequest& request);
  template <typename Work>
  auto orAbandon(Work&& work);
  CallReport end();

  enum class State : std::uint8_t { Absent, Fresh, Kept, Used };

  const std::shared_ptr<const App> app_;
  Watchdog& watchdog_;
  const IsolateOptions options_;
  std::unique_ptr<Instance> instance_;
  State state_ = State::Absent;
  bool hasServed_ = false;
  std::unique_ptr<Call> call_;  // While one runs.
};

}  // namespace schemascript
