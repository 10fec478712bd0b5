// Threads that serve calls. Each has isolates of its own; all of them share one bounded queue, in
// which tenants take turns.
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

struct WorkersOptions {
  unsigned threads = 1;
  // Jobs that wait. More than that are refused, so that who asks hears of it while it matters.
  std::size_t queueMax = 1'000;
  // Jobs of one key that run at the same time; 0: as many as there are threads. Less than `threads`
  // keeps a thread for others when all calls of one tenant loop for ever.
  unsigned runningPerKeyMax = 0;
  // Jobs of one key that wait; 0: queueMax. So that one tenant cannot fill the queue.
  std::size_t waitingPerKeyMax = 0;
  // What the isolates of all threads may take together. Each thread has an equal part of it.
  std::uint64_t isolateBytesMax = 512ull << 20;
  // An isolate that was not used for as long gives memory back, and takes some 0.2 ms more for its
  // next call.
  std::chrono::milliseconds isolateRestAfter{2'000};
  // An isolate that was not used for as long is given up.
  std::chrono::milliseconds isolateIdleTimeMax{60'000};
  ResetCheck resetCheck = ResetCheck::No;
};

enum class JobEnd : std::uint8_t {
  Called,     // `call` says how that ended. Cancelled before its turn came, too.
  Failed,     // `failure`: what Isolate::call() threw. No guest could be made (Unavailable), the
              // request's limits are not for this app (InvalidRequest), the log threw, or there is
              // a bug (Internal).
  TooLate,    // Its turn came after `notAfter`; nothing was run.
  Cancelled,  // The workers ended before its turn came; nothing was run.
};

struct JobReport {
  JobEnd end = JobEnd::Called;
  CallReport call{};                  // Of a job that was Called.
  std::optional<Error> failure{};     // Of a job that Failed.
  std::chrono::nanoseconds waited{};  // From tryPost() until its turn came.
};

// One call, to be made when its turn comes. It owns all that it needs.
struct Job {
  std::shared_ptr<const App> app{};
  std::shared_ptr<ConnectionPool> database{};
  Isolation isolation = Isolation::Request;
  // Jobs of the same key are of one tenant: they are done in the order in which they came, and take
  // turns with those of other keys.
  std::string key{};
  std::string name{};      // Of the function that the app exports.
  std::string argument{};  // JSON; empty: no argument.
  // All else of the call. The name and the argument in here are not looked at.
  CallRequest request{};
  // A job that is not begun by then is not begun at all.
  std::chrono::steady_clock::time_point notAfter = std::chrono::steady_clock::time_point::max();
  // Called exactly once for each job that was accepted, on the thread that served it; for Cancelled
  // on the one that destroys the workers. It may post. It must not throw; what it throws is
  // dropped. As long as it runs, its worker serves nobody else.
  std::function<void(JobReport)> done{};
};

// Lets this process have as many files open as the system allows it at most: each database takes
// three for each of its connections. For whoever serves many; once, at the start.
void allowManyFiles() noexcept;

// Thread-safe, but for being destroyed.
class Workers {
 public:
  struct Counters {
    std::size_t queued = 0;  // Now.
    std::size_t running = 0;
    std::uint64_t served = 0;  // Ended by now, however; without those that were refused.
    std::uint64_t refused = 0;
    IsolatePool::Counters isolates;  // Of all threads together, as each was after its last call.
  };

  // Keeps a reference to `watchdog`, which must outlive it, as must the engines of the apps. Throws
  // Unavailable when there are no threads to be had, and InvalidRequest for a limit of 0.
  Workers(Watchdog& watchdog, WorkersOptions options);
  // Cancels the jobs that wait, and waits for those that run. Who wants them done calls drain()
  // first.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // False, and `job` is not kept, when the queue is full or has too many of its key. Never blocks.
  [[nodiscard]] bool tryPost(Job job);

  // Returns when no job waits or runs, and all have been answered. Jobs that are posted meanwhile
  // are waited for, too. Not from within `done`.
  void drain();

  Counters counters() const;

 private:
  class Worker;
  class Shared;

  std::unique_ptr<Shared> shared_;
};

}  // namespace schemascript
