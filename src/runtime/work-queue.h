// What the workers have to do, in its order: jobs that wait for their turn, and calls that were
// parked and can go on.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/workers.h"

namespace schemascript {

// A call that was begun and has not ended; the business of workers.cc.
class OpenCall;

struct QueuedJob {
  Job job;
  std::chrono::steady_clock::time_point postedAt;
};

// Tenants of which something may run take turns, and each takes turns between the calls that can go
// on and the jobs that can begin. Whose turn it is while openMax holds its jobs back keeps a place
// for the next that may be begun. Not thread-safe.
class WorkQueue {
 public:
  // All jobs and calls of one key.
  struct Tenant {
    std::string key{};
    std::deque<QueuedJob> waiting{};
    std::deque<std::shared_ptr<OpenCall>> ready{};
    unsigned running = 0;    // On a thread.
    std::size_t open = 0;    // These, and those that are parked or ready.
    bool hasTurn = false;    // It is among those that take turns.
    bool isBlocked = false;  // It is among those whose jobs wait for openMax.
    bool wasReadyLast = false;
  };

  // One of both, and whose it is: to be given back to end() or park().
  struct Work {
    Tenant* tenant = nullptr;
    std::optional<QueuedJob> job{};
    std::shared_ptr<OpenCall> call{};
  };

  explicit WorkQueue(const WorkersOptions& options);

  // False, and `job` is left as it is, when there are too many.
  [[nodiscard]] bool tryAdd(Job& job);
  // A call that was parked can go on.
  void resume(Tenant& tenant, std::shared_ptr<OpenCall> call);

  // Whether something may run now. From now on no new job may, once stop() was called.
  bool isReady();
  void stop() noexcept { stopped_ = true; }
  // While isReady(). It runs then.
  Work take();

  // What ran does not run now,
  void park(Tenant& tenant);
  // or not any more.
  void end(Tenant& tenant);

  // The jobs that were not taken.
  std::vector<QueuedJob> takeWaiting();

  std::size_t waiting() const noexcept { return waiting_; }
  std::size_t running() const noexcept { return running_; }
  std::size_t open() const noexcept { return open_; }

 private:
  bool mayTakeBlocked();
  bool mayTakeTurn();
  bool hasRoom() const noexcept { return !stopped_ && open_ < openMax_; }
  bool isFree(const Tenant& tenant) const noexcept { return tenant.running < runningPerKeyMax_; }
  bool wantsToBegin(const Tenant& tenant) const noexcept;
  bool mayBegin(const Tenant& tenant) const noexcept { return hasRoom() && wantsToBegin(tenant); }
  void block(Tenant& tenant);
  void giveTurn(Tenant& tenant);

  const std::size_t queueMax_;
  const unsigned runningPerKeyMax_;
  const std::size_t waitingPerKeyMax_;
  const std::size_t openMax_;
  const std::size_t openPerKeyMax_;
  std::unordered_map<std::string, Tenant> tenants_;  // Those that have anything.
  std::deque<Tenant*> turns_;
  std::deque<Tenant*> blocked_;
  std::size_t waiting_ = 0;
  std::size_t running_ = 0;
  std::size_t open_ = 0;
  bool stopped_ = false;
};

}  // namespace schemascript
