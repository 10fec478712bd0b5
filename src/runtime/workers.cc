#include "runtime/workers.h"

#include <sys/resource.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace schemascript {
namespace {

using Clock = std::chrono::steady_clock;

struct QueuedJob {
  Job job;
  Clock::time_point postedAt;
};

// The jobs of one key.
struct Tenant {
  std::string key;
  std::deque<QueuedJob> waiting;
  unsigned running = 0;
  bool hasTurn = false;  // It is among those that take turns.
};

// The jobs that wait. Tenants of which a job may run take turns. Not thread-safe.
class Queue {
 public:
  explicit Queue(const WorkersOptions& options)
      : queueMax_(options.queueMax),
        runningPerKeyMax_(options.runningPerKeyMax == 0 ? options.threads
                                                        : options.runningPerKeyMax),
        waitingPerKeyMax_(options.waitingPerKeyMax == 0 ? options.queueMax
                                                        : options.waitingPerKeyMax) {}

  [[nodiscard]] bool tryAdd(Job& job) {
    if (size_ >= queueMax_) return false;
    Tenant& tenant = tenants_[job.key];
    if (tenant.waiting.size() >= waitingPerKeyMax_) return false;
    if (tenant.key.empty()) tenant.key = job.key;
    tenant.waiting.push_back({std::move(job), Clock::now()});
    ++size_;
    giveTurn(tenant);
    return true;
  }

  // Whether a job may run now.
  bool isReady() const noexcept { return !turns_.empty(); }

  struct Taken {
    Tenant* tenant;  // To be given back to release().
    QueuedJob queued;
  };
  // While isReady().
  Taken take() {
    Tenant& tenant = *turns_.front();
    turns_.pop_front();
    tenant.hasTurn = false;
    Taken taken{&tenant, std::move(tenant.waiting.front())};
    tenant.waiting.pop_front();
    ++tenant.running;
    --size_;
    giveTurn(tenant);
    return taken;
  }

  void release(Tenant& tenant) {
    --tenant.running;
    giveTurn(tenant);
    if (tenant.running == 0 && tenant.waiting.empty()) tenants_.erase(tenants_.find(tenant.key));
  }

  std::vector<QueuedJob> takeAll() {
    std::vector<QueuedJob> all;
    turns_.clear();
    for (auto& [key, tenant] : tenants_) {
      std::ranges::move(tenant.waiting, std::back_inserter(all));
      tenant.waiting.clear();
      tenant.hasTurn = false;
    }
    size_ = 0;
    return all;
  }

  std::size_t size() const noexcept { return size_; }

 private:
  void giveTurn(Tenant& tenant) {
    if (tenant.hasTurn || tenant.waiting.empty() || tenant.running >= runningPerKeyMax_) return;
    turns_.push_back(&tenant);
    tenant.hasTurn = true;
  }

  const std::size_t queueMax_;
  const unsigned runningPerKeyMax_;
  const std::size_t waitingPerKeyMax_;
  std::unordered_map<std::string, Tenant> tenants_;  // Those with a job that waits or runs.
  std::deque<Tenant*> turns_;
  std::size_t size_ = 0;
};

void answer(Job& job, JobReport report) noexcept {
  try {
    if (job.done) job.done(std::move(report));
  } catch (...) {
    // As documented: whoever answers has nobody to tell it to.
  }
}

Error errorOfCurrentException() noexcept {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::exception& error) {
    return internal(error.what());
  } catch (...) {
    return internal("something was thrown that is no exception");
  }
}

IsolatePoolOptions poolOptions(const WorkersOptions& options) {
  return {.bytesMax = options.isolateBytesMax / options.threads,
          .restAfter = options.isolateRestAfter,
          .idleTimeMax = options.isolateIdleTimeMax,
          .resetCheck = options.resetCheck};
}

}  // namespace

// What the threads share.
class Workers::Shared {
 public:
  Shared(Watchdog& watchdog, WorkersOptions options);
  ~Shared();

  [[nodiscard]] bool tryPost(Job job);
  void drain();
  Counters counters() const;

 private:
  friend class Worker;

  // Lets the threads end after the jobs that they are at.
  void end() noexcept;

  const WorkersOptions options_;
  mutable std::mutex mutex_;  // Guards all below, but for the inside of the threads.
  std::condition_variable idle_;
  Queue queue_;
  // Those that wait for a job. The one that worked last is at the end and gets the next one: its
  // isolates are warm, and the others may sleep.
  std::vector<Worker*> sleeping_;
  std::size_t running_ = 0;
  std::uint64_t served_ = 0;
  std::uint64_t refused_ = 0;
  bool ending_ = false;
  std::vector<std::unique_ptr<Worker>> workers_;
};

// One thread, from its first job to its last.
class Workers::Worker {
 public:
  Worker(Shared& shared, Watchdog& watchdog)
      : shared_(shared), watchdog_(watchdog), thread_(std::in_place, [this] { run(); }) {}

  // Waits for the end of the thread, which Shared::end() asked for. What is left may still be woken
  // by a thread that posts.
  void join() { thread_.reset(); }

 private:
  friend class Shared;

  void run() {
    IsolatePool pool(watchdog_, poolOptions(shared_.options_));
    std::unique_lock lock(shared_.mutex_);
    while (!shared_.ending_) {
      if (shared_.queue_.isReady()) {
        serve(pool, lock);
      } else {
        lock.unlock();
        const bool didSomething = pool.prepareAhead();
        lock.lock();
        isolates_ = pool.counters();
        if (!didSomething && !shared_.queue_.isReady() && !shared_.ending_) {
          sleep(lock, pool.nextWork());
        }
      }
    }
    lock.unlock();
  }

  // `lock` is held before and after.
  void serve(IsolatePool& pool, std::unique_lock<std::mutex>& lock) {
    Queue::Taken taken = shared_.queue_.take();
    ++shared_.running_;
    lock.unlock();
    {
      Job job = std::move(taken.queued.job);
      answer(job, reportOf(pool, job, taken.queued.postedAt));
    }  // What the job owned ends before it counts as served.
    lock.lock();
    isolates_ = pool.counters();
    shared_.queue_.release(*taken.tenant);
    --shared_.running_;
    ++shared_.served_;
    // Its end may have made a job ready that its key's limit held back; this thread takes it, and
    // any other one has been woken for.
    if (shared_.running_ == 0 && shared_.queue_.size() == 0) shared_.idle_.notify_all();
  }

  static JobReport reportOf(IsolatePool& pool, const Job& job,
                            Clock::time_point postedAt) noexcept {
    JobReport report;
    const auto now = Clock::now();
    report.waited = now - postedAt;
    if (now > job.notAfter) {
      report.end = JobEnd::TooLate;
      return report;
    }
    if (job.request.stop.stop_requested()) {
      report.call.end = CallEnd::Cancelled;
      return report;
    }
    try {
      SS_CHECK(job.app && job.database, "a job without an app or a database");
      CallRequest request = job.request;
      request.name = job.name;
      request.argument = job.argument;
      report.call = pool.call(job.app, job.database, job.isolation, request);
    } catch (...) {
      report.end = JobEnd::Failed;
      report.failure = errorOfCurrentException();
    }
    return report;
  }

  void sleep(std::unique_lock<std::mutex>& lock, Clock::time_point until) {
    isSleeping_ = true;
    shared_.sleeping_.push_back(this);
    const auto isAwake = [this] { return !isSleeping_; };
    if (until == Clock::time_point::max()) {
      wakeUp_.wait(lock, isAwake);
    } else if (!wakeUp_.wait_until(lock, until, isAwake)) {
      std::erase(shared_.sleeping_, this);
      isSleeping_ = false;
    }
  }

  Shared& shared_;
  Watchdog& watchdog_;
  // Guarded by the shared mutex.
  std::condition_variable wakeUp_;
  bool isSleeping_ = false;
  IsolatePool::Counters isolates_;
  std::optional<GuestThread> thread_;  // The last member: it uses the others from its start.
};

Workers::Shared::Shared(Watchdog& watchdog, WorkersOptions options)
    : options_(options), queue_(options) {
  workers_.reserve(options.threads);
  sleeping_.reserve(options.threads);
  try {
    for (unsigned count = 0; count < options.threads; ++count) {
      workers_.push_back(std::make_unique<Worker>(*this, watchdog));
    }
  } catch (...) {
    end();  // Those that there are: their destructors wait for it. Nobody has posted yet.
    throw;
  }
}

void Workers::Shared::end() noexcept {
  const std::lock_guard lock(mutex_);
  ending_ = true;
  for (Worker* const worker : sleeping_) {
    worker->isSleeping_ = false;
    worker->wakeUp_.notify_one();
  }
  sleeping_.clear();
}

Workers::Shared::~Shared() {
  end();
  // All of them before the first one goes: a job's `done` may be about to wake another thread.
  for (const auto& worker : workers_) worker->join();
  // Nobody else is left.
  std::vector<QueuedJob> cancelled = queue_.takeAll();
  for (QueuedJob& queued : cancelled) {
    answer(queued.job, {.end = JobEnd::Cancelled, .waited = Clock::now() - queued.postedAt});
  }
}

bool Workers::Shared::tryPost(Job job) {
  Worker* woken = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (ending_ || !queue_.tryAdd(job)) {
      ++refused_;
      return false;
    }
    if (queue_.isReady() && !sleeping_.empty()) {
      woken = sleeping_.back();
      sleeping_.pop_back();
      woken->isSleeping_ = false;
    }
  }
  if (woken != nullptr) woken->wakeUp_.notify_one();
  return true;
}

void Workers::Shared::drain() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return running_ == 0 && queue_.size() == 0; });
}

Workers::Counters Workers::Shared::counters() const {
  const std::lock_guard lock(mutex_);
  Counters counters{queue_.size(), running_, served_, refused_, {}};
  for (const auto& worker : workers_) {
    counters.isolates.made += worker->isolates_.made;
    counters.isolates.reset += worker->isolates_.reset;
    counters.isolates.discarded += worker->isolates_.discarded;
    counters.isolates.isolates += worker->isolates_.isolates;
    counters.isolates.bytes += worker->isolates_.bytes;
  }
  return counters;
}

void allowManyFiles() noexcept {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

Workers::Workers(Watchdog& watchdog, WorkersOptions options) {
  if (options.threads == 0 || options.queueMax == 0) {
    throw invalidRequest("workers need at least one thread and a queue of one job");
  }
  shared_ = std::make_unique<Shared>(watchdog, options);
}

Workers::~Workers() = default;

bool Workers::tryPost(Job job) { return shared_->tryPost(std::move(job)); }

void Workers::drain() { shared_->drain(); }

Workers::Counters Workers::counters() const { return shared_->counters(); }

}  // namespace schemascript
