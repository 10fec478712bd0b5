// Threads that serve calls. Each has isolates of its own; all of them share one bounded queue, in
// which tenants take turns. While a call waits for a timer, for its request's body or for a slow
// reader, its thread serves others; whichever is free goes on with it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "runtime/app.h"
#include "runtime/isolate-pool.h"

namespace schemascript {

// Where jobs come from: sockets, say. A worker that has nothing else to do watches it, one at a
// time, instead of sleeping; so the thread that notices a request is the one that serves it, and
// none has to be woken.
class JobSource {
 public:
  JobSource() = default;
  virtual ~JobSource() = default;
  JobSource(const JobSource&) = delete;
  JobSource& operator=(const JobSource&) = delete;

  // Takes the watch, to be carried out by watch(). False when somebody has it, or nothing comes any
  // more. Called with a lock of the workers held: it must not call them.
  [[nodiscard]] virtual bool tryTakeWatch() noexcept = 0;
  // Posts what comes, until interrupt() was called, since tryTakeWatch(), or `until`. Gives the
  // watch back.
  virtual void watch(std::chrono::steady_clock::time_point until) noexcept = 0;
  // From any thread: also the one that watches.
  virtual void interrupt() noexcept = 0;
};

struct WorkersOptions {
  unsigned threads = 1;
  // Outlives the workers. Null: whoever posts has threads of its own.
  JobSource* source = nullptr;
  // Jobs that wait. More than that are refused, so that who asks hears of it while it matters.
  std::size_t queueMax = 1'000;
  // Jobs of one key that are on a thread at the same time; 0: as many as there are threads. Less
  // than `threads` keeps a thread for others when all calls of one tenant loop for ever.
  unsigned runningPerKeyMax = 0;
  // Jobs that were begun and have not ended: those on a thread, and those that are parked. Each has
  // an isolate of its own, which takes some 0.6 MB.
  std::size_t openMax = 256;
  // The same of one key; 0: openMax.
  std::size_t openPerKeyMax = 0;
  // Jobs of one key that wait; 0: queueMax. So that one tenant cannot fill the queue.
  std::size_t waitingPerKeyMax = 0;
  // What the isolates of all threads may take together that are not in use. Each thread has an
  // equal part of it.
  std::uint64_t isolateBytesMax = 512ull << 20;
  // An isolate that was not used for as long gives memory back, and takes some 0.2 ms more for its
  // next call.
  std::chrono::milliseconds isolateRestAfter{2'000};
  // An isolate that was not used for as long is given up.
  std::chrono::milliseconds isolateIdleTimeMax{60'000};
  ResetCheck resetCheck = ResetCheck::No;
};

enum class JobEnd : std::uint8_t {
  Called,      // `call` says how that ended. Cancelled before its turn came, too.
  Failed,      // `failure`: what Isolate::call() threw. No guest could be made (Unavailable), the
               // request's limits are not for this app (InvalidRequest), the log threw, or there is
               // a bug (Internal).
  TooLate,     // Its turn came after `notAfter`; nothing was run.
  Cancelled,   // The workers ended before its turn came; nothing was run.
  NoDatabase,  // There is none; nothing was run.
};

struct JobReport {
  JobEnd end = JobEnd::Called;
  CallReport call{};                  // Of a job that was Called.
  std::optional<Error> failure{};     // Of a job that Failed.
  std::chrono::nanoseconds waited{};  // From tryPost() until its turn came.
  bool isolateReused = false;         // Its guest had served others before.
};

// Who gets the answer of a call of CallKind::Fetch, and has the rest of its request's body. Called
// by the worker that is at the call, never at the same time, and must not block. What it throws
// fails the job.
class FetchPeer {
 public:
  enum class Taken : std::uint8_t {
    Yes,
    Full,  // Taken, too; but the next only after whenRoom() says so.
    Gone,  // Nobody reads it. The call ends as Cancelled.
  };
  FetchPeer() = default;
  virtual ~FetchPeer() = default;
  FetchPeer(const FetchPeer&) = delete;
  FetchPeer& operator=(const FetchPeer&) = delete;

  // The answer's head and the first part of its body. Once.
  virtual Taken respond(FetchResponse response) = 0;
  // The next part of the body, while the one before was followed by one.
  virtual Taken write(BodyPiece piece) = 0;
  // Calls `then` once, from any thread, now or later, unless nobody will ever read.
  virtual void whenRoom(std::function<void()> then) = 0;
  // The next piece of the request's body; asked for by one at a time. `bytes` are copied.
  using GotBody = std::function<void(std::string_view bytes, Instance::BodyState state)>;
  virtual void readMore(GotBody then) = 0;
};

// One call, to be made when its turn comes. It owns all that it needs.
struct Job {
  std::shared_ptr<const App> app{};
  // Null: what `open` answers, which is called on the worker's thread when the job's turn has come,
  // and may take its time; null again ends the job with NoDatabase.
  std::shared_ptr<ConnectionPool> database{};
  std::function<std::shared_ptr<ConnectionPool>()> open{};
  Isolation isolation = Isolation::Request;
  // Jobs of the same key are of one tenant: they are done in the order in which they came, and take
  // turns with those of other keys.
  std::string key{};
  std::string name{};      // Of the function that the app exports.
  std::string argument{};  // JSON; empty: no argument. Or what `request.kind` takes.
  // All else of the call. The name and the argument in here are not looked at.
  CallRequest request{};
  // Of CallKind::Fetch. Null: nobody reads the answer, and the request's body is what came with it.
  std::shared_ptr<FetchPeer> peer{};
  // A job that is not begun by then is not begun at all.
  std::chrono::steady_clock::time_point notAfter = std::chrono::steady_clock::time_point::max();
  // Called exactly once for each job that was accepted, on the thread that served it; for Cancelled
  // on the one that destroys the workers. Of Fetch after the last that `peer` was told. It may
  // post. It must not throw; what it throws is dropped. As long as it runs, its worker serves
  // nobody else.
  std::function<void(JobReport)> done{};
};

// Lets this process have as many files open as the system allows it at most: each database takes
// three for each of its connections. For whoever serves many; once, at the start.
void allowManyFiles() noexcept;

// Thread-safe, but for being destroyed.
class Workers {
 public:
  struct Counters {
    std::size_t queued = 0;    // Now.
    std::size_t running = 0;   // On a thread.
    std::size_t parked = 0;    // Begun, but waiting for something.
    std::uint64_t served = 0;  // Ended by now, however; without those that were refused.
    std::uint64_t refused = 0;
    IsolatePool::Counters isolates;  // Of all threads together, as each was after its last call.
  };

  // Keeps a reference to `watchdog`, which must outlive it, as must the engines of the apps. Throws
  // Unavailable when there are no threads to be had, and InvalidRequest for a limit of 0.
  Workers(Watchdog& watchdog, WorkersOptions options);
  // Cancels the jobs that wait or are parked, and waits for those that run. Who wants them done
  // calls drain() first.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // False, and `job` is not kept, when the queue is full or has too many of its key. Never blocks.
  [[nodiscard]] bool tryPost(Job job);

  // The source is watched by nobody: who has nothing to do takes the watch.
  void offerWatch() noexcept;

  // Returns when no job waits, runs or is parked, and all have been answered. Jobs that are posted
  // meanwhile are waited for, too. Not from within `done`.
  void drain();
  // The same, but not after `until`: false when there were jobs left.
  bool drainUntil(std::chrono::steady_clock::time_point until);

  Counters counters() const;

 private:
  friend class OpenCall;
  class Worker;
  class Shared;

  std::shared_ptr<Shared> shared_;
};

}  // namespace schemascript
