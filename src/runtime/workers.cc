#include "runtime/workers.h"

#include <sys/resource.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/work-queue.h"

namespace schemascript {
namespace {

using Clock = std::chrono::steady_clock;

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

// A job that was begun. Whoever is at it uses it alone, but for what is guarded.
class OpenCall : public std::enable_shared_from_this<OpenCall> {
 public:
  OpenCall(QueuedJob queued, WorkQueue::Tenant& of)
      : job(std::move(queued.job)), postedAt(queued.postedAt), tenant(of) {}

  struct Body {
    std::string bytes;
    Instance::BodyState state;
  };
  struct WakeUp {
    OpenCall& call;
    Workers::Shared& shared;
    void operator()() const noexcept;
  };
  using Timers = std::multimap<Clock::time_point, std::shared_ptr<OpenCall>>;

  Job job;
  const Clock::time_point postedAt;
  WorkQueue::Tenant& tenant;
  std::shared_ptr<ConnectionPool> database;
  std::optional<IsolatePool::Loan> loan;
  JobReport report;
  Clock::time_point until;    // As the last step said.
  bool isReading = false;     // A piece of the body was asked for, and has not been received.
  bool waitsForRoom = false;  // Nothing can be answered before its reader has room.
  std::optional<std::stop_callback<WakeUp>> onStop;

  // Guarded by the mutex of the workers.
  bool isParked = false;
  bool isWoken = false;                       // Something came while it was not parked.
  std::condition_variable* waiter = nullptr;  // Of a thread that waits with it.
  Timers::iterator timer;                     // While it is parked.
  bool hasRoom = false;
  std::optional<Body> body;
};

// A thread that is to be woken, in whatever it sleeps. To be used without the lock, for which that
// thread would have to wait at once.
struct WakeUpCall {
  std::condition_variable* condition = nullptr;
  JobSource* watched = nullptr;

  void make() const noexcept {
    if (watched != nullptr) {
      watched->interrupt();
    } else if (condition != nullptr) {
      condition->notify_one();
    }
  }
};

// What the threads share with each other, and with those who wake calls.
class Workers::Shared : public std::enable_shared_from_this<Shared> {
 public:
  explicit Shared(WorkersOptions options) : options_(options), queue_(options) {}

  void start(Watchdog& watchdog);
  void end() noexcept;

  [[nodiscard]] bool tryPost(Job job);
  void offerWatch() noexcept;
  bool drainUntil(Clock::time_point until);
  Counters counters() const;

  // Something that `call` may wait for is there; `note` writes it down.
  template <typename Note>
  void wake(OpenCall& call, Note&& note) {
    WakeUpCall woken;
    {
      const std::lock_guard lock(mutex_);
      note();
      call.isWoken = true;
      woken.condition = call.waiter;
      if (call.isParked) {
        makeReady(call.timer);
        woken = nextToWake();
      }
    }
    woken.make();
  }

 private:
  friend class Worker;

  void askToEnd() noexcept;
  void makeReady(OpenCall::Timers::iterator timer);
  void makeReadyUntil(Clock::time_point now);
  Clock::time_point nextTimer() const noexcept {
    return timers_.empty() ? Clock::time_point::max() : timers_.begin()->first;
  }
  // Sees to it that a thread is there for the timers while the one that asks is busy.
  void entrustTimers() noexcept;
  // Of a thread that sleeps and has something to do now.
  WakeUpCall nextToWake();
  WakeUpCall takeLastSleeper() noexcept;
  void wakeLast() noexcept;
  void wakeAll() noexcept;
  bool isOver() const noexcept { return ending_ && queue_.open() == 0; }
  bool isIdle() const noexcept { return queue_.open() == 0 && queue_.waiting() == 0; }

  const WorkersOptions options_;
  mutable std::mutex mutex_;  // Guards all below, but for the inside of the threads.
  std::condition_variable idle_;
  WorkQueue queue_;
  OpenCall::Timers timers_;  // The calls that are parked, and when they go on at the latest.
  // Those that wait for something to do. The one that worked last is at the end and gets the next
  // work: its isolates are warm, and the others may sleep.
  std::vector<Worker*> sleeping_;
  Worker* watcher_ = nullptr;  // One of them, or one that was woken just now: it has the watch.
  std::uint64_t served_ = 0;
  std::uint64_t refused_ = 0;
  bool ending_ = false;
  std::vector<std::unique_ptr<Worker>> workers_;
};

void OpenCall::WakeUp::operator()() const noexcept {
  shared.wake(call, [] {});
}

// One thread, from its first work to its last.
class Workers::Worker {
 public:
  Worker(Shared& shared, Watchdog& watchdog)
      : shared_(shared), watchdog_(watchdog), thread_(std::in_place, [this] { run(); }) {}

  // Waits for the end of the thread, which Shared::askToEnd() asked for. What is left may still be
  // woken by a thread that posts.
  void join() { thread_.reset(); }

 private:
  friend class Shared;

  using Lock = std::unique_lock<std::mutex>;

  void run() {
    threadId_ = std::this_thread::get_id();
    IsolatePool pool(watchdog_, poolOptions(shared_.options_));
    pool_ = &pool;
    Lock lock(shared_.mutex_);
    while (!shared_.isOver()) {
      shared_.makeReadyUntil(Clock::now());
      if (shared_.queue_.isReady()) {
        shared_.entrustTimers();
        serve(lock);
      } else {
        lock.unlock();
        const bool didSomething = pool.prepareAhead();
        lock.lock();
        isolates_ = pool.counters();
        // The end may have come meanwhile, and has woken those who slept.
        if (!didSomething && !shared_.queue_.isReady() && !shared_.isOver()) sleep(lock);
      }
    }
    lock.unlock();
  }

  // `lock` is held before and after.
  void serve(Lock& lock) {
    WorkQueue::Work work = shared_.queue_.take();
    // Timers that fire together, and an end that two limits waited for, make more work ready at
    // once than this thread can do: the next thread takes of it, and sees to the rest.
    const WakeUpCall woken = shared_.nextToWake();
    lock.unlock();
    woken.make();
    WorkQueue::Tenant& tenant = *work.tenant;
    bool isOver = false;
    {
      const bool isNew = work.call == nullptr;
      const auto call =
          isNew ? std::make_shared<OpenCall>(*std::move(work.job), tenant) : std::move(work.call);
      isOver = isOverAfter(*call, [&] { return (isNew && !begin(*call)) || goOn(*call); });
      if (isOver) finish(*call);
    }
    lock.lock();
    isolates_ = pool_->counters();
    if (!isOver) return;  // It is parked.
    // Its end may have made work ready that a limit held back; this thread takes it.
    shared_.queue_.end(tenant);
    ++shared_.served_;
    if (shared_.isIdle()) shared_.idle_.notify_all();
    if (shared_.isOver()) shared_.wakeAll();
  }

  // What is thrown ends the job.
  template <typename Work>
  static bool isOverAfter(OpenCall& call, Work&& work) noexcept {
    try {
      return work();
    } catch (...) {
      call.report.end = JobEnd::Failed;
      call.report.failure = errorOfCurrentException();
      return true;
    }
  }

  // False when it is over before anything was run.
  bool begin(OpenCall& call) {
    Job& job = call.job;
    JobReport& report = call.report;
    const auto now = Clock::now();
    report.waited = now - call.postedAt;
    if (now > job.notAfter) {
      report.end = JobEnd::TooLate;
      return false;
    }
    if (job.request.stop.stop_requested()) {
      report.call.end = CallEnd::Cancelled;
      return false;
    }
    SS_CHECK(job.app && (job.database || job.open), "a job without an app or a database");
    call.database = job.database ? job.database : job.open();
    if (!call.database) {
      report.end = JobEnd::NoDatabase;
      return false;
    }
    call.loan = pool_->lend(job.app, call.database, job.isolation);
    report.isolateReused = (*call.loan)->hasServed();
    job.request.name = job.name;
    job.request.argument = job.argument;
    (*call.loan)->begin(*call.database, job.request);
    if (job.request.stop.stop_possible()) {
      call.onStop.emplace(job.request.stop, OpenCall::WakeUp{call, shared_});
    }
    return true;
  }

  // True when the call is over; false when it is parked, and not this thread's any more.
  bool goOn(OpenCall& call) {
    for (;;) {
      switch (step(call)) {
        case Next::Step:
          break;
        case Next::Wait:
          if (!wait(call)) return false;
          break;
        case Next::Over:
          return true;
      }
    }
  }

  enum class Next : std::uint8_t { Step, Wait, Over };

  Next step(OpenCall& call) {
    if (call.waitsForRoom && !hasRoom(call)) return Next::Wait;
    Isolate& isolate = **call.loan;
    const CallStep step = isolate.advance();
    call.until = step.until;
    switch (step.state) {
      case CallStep::State::Response:
        return afterAnswer(
            call, [&](FetchPeer& peer) { return peer.respond(std::move(isolate.response())); });
      case CallStep::State::Piece:
        return afterAnswer(call,
                           [&](FetchPeer& peer) { return peer.write(std::move(isolate.piece())); });
      case CallStep::State::WantsBody:
        return receiveBody(call) ? Next::Step : Next::Wait;
      case CallStep::State::Waits:
        return Next::Wait;
      case CallStep::State::Ended:
        break;
    }
    return Next::Over;
  }

  template <typename Answer>
  Next afterAnswer(OpenCall& call, Answer&& answer) {
    if (!call.job.peer) return Next::Step;
    const FetchPeer::Taken taken = answer(*call.job.peer);
    if (taken == FetchPeer::Taken::Gone) (*call.loan)->giveUp("nobody reads its answer");
    if (taken == FetchPeer::Taken::Full) {
      call.waitsForRoom = true;
      call.job.peer->whenRoom([remote = remoteOf(call)] {
        remote.wake([](OpenCall& woken) { woken.hasRoom = true; });
      });
    }
    return Next::Step;
  }

  // Or it does not go on.
  bool hasRoom(OpenCall& call) {
    {
      const std::lock_guard lock(shared_.mutex_);
      if (std::exchange(call.hasRoom, false)) call.waitsForRoom = false;
    }
    if (!call.waitsForRoom) return true;
    if (!call.job.request.stop.stop_requested() && Clock::now() < call.until) return false;
    return giveUp(call, "it was waiting for its client to read the answer");
  }

  static bool giveUp(OpenCall& call, std::string_view why) {
    call.waitsForRoom = false;
    (*call.loan)->giveUp(why);
    return true;
  }

  // False when it has to be waited for.
  bool receiveBody(OpenCall& call) {
    if (!call.job.peer) {
      (*call.loan)->receive({}, Instance::BodyState::ClientGone);
      return true;
    }
    if (!call.isReading) {
      call.isReading = true;
      call.job.peer->readMore(
          [remote = remoteOf(call)](std::string_view bytes, Instance::BodyState state) {
            remote.wake([&](OpenCall& woken) { woken.body = {std::string(bytes), state}; });
          });
    }
    std::optional<OpenCall::Body> body;
    {
      const std::lock_guard lock(shared_.mutex_);
      body = std::exchange(call.body, std::nullopt);
    }
    if (!body) return false;
    call.isReading = false;
    (*call.loan)->receive(body->bytes, body->state);
    return true;
  }

  // For those who wake a call that may have ended, of workers that may have, too.
  struct Remote {
    std::weak_ptr<Shared> shared;
    std::weak_ptr<OpenCall> call;

    template <typename Note>
    void wake(Note&& note) const {
      const auto workers = shared.lock();
      const auto woken = call.lock();
      if (workers && woken) workers->wake(*woken, [&] { note(*woken); });
    }
  };
  Remote remoteOf(OpenCall& call) { return {shared_.weak_from_this(), call.weak_from_this()}; }

  // Until something has come for `call`, or its time has. False when somebody else goes on with it.
  bool wait(OpenCall& call) {
    // Others may wait for its transaction, and with them all threads there are.
    const bool mayPark = !(*call.loan)->hasTransaction();
    if (mayPark) (*call.loan)->park();
    Lock lock(shared_.mutex_);
    if (mayPark && !call.isWoken && !shared_.ending_) {
      call.isParked = true;
      call.timer = shared_.timers_.emplace(call.until, call.shared_from_this());
      shared_.queue_.park(call.tenant);
      return false;
    }
    call.waiter = &comes_;
    comes_.wait_until(lock, call.until, [&] { return call.isWoken || shared_.ending_; });
    call.waiter = nullptr;
    call.isWoken = false;
    const bool isEnding = shared_.ending_;
    lock.unlock();
    if (isEnding) giveUp(call, "the server has ended");
    return true;
  }

  void finish(OpenCall& call) noexcept {
    call.onStop.reset();
    if (call.loan) {
      isOverAfter(call, [&] {
        if (call.report.end == JobEnd::Called) call.report.call = (*call.loan)->finish();
        return true;
      });
      if (call.report.end == JobEnd::Called) {
        pool_->takeBack(std::move(*call.loan), call.report.call.end);
      } else {
        pool_->giveUp(std::move(*call.loan));
      }
      call.loan.reset();
    }
    answer(call.job, std::move(call.report));
    // What the job owned ends before it counts as served.
    call.job = {};
    call.database.reset();
  }

  void sleep(Lock& lock) {
    const auto until = std::min(pool_->nextWork(), shared_.nextTimer());
    sleepsUntil_ = until;
    isSleeping_ = true;
    shared_.sleeping_.push_back(this);
    const auto isAwake = [this] { return !isSleeping_; };
    JobSource* const source = shared_.options_.source;
    if (source != nullptr && source->tryTakeWatch()) {
      watchUntil(until, lock);
    } else if (until == Clock::time_point::max()) {
      wakeUp_.wait(lock, isAwake);
    } else {
      wakeUp_.wait_until(lock, until, isAwake);
    }
    if (std::exchange(isSleeping_, false)) std::erase(shared_.sleeping_, this);
  }

  void watchUntil(Clock::time_point until, Lock& lock) {
    shared_.watcher_ = this;
    lock.unlock();
    shared_.options_.source->watch(until);
    lock.lock();
    if (shared_.watcher_ == this) shared_.watcher_ = nullptr;
  }

  Shared& shared_;
  Watchdog& watchdog_;
  IsolatePool* pool_ = nullptr;  // The thread's own.
  std::thread::id threadId_;
  std::condition_variable comes_;
  // Guarded by the shared mutex.
  std::condition_variable wakeUp_;
  bool isSleeping_ = false;
  Clock::time_point sleepsUntil_;
  IsolatePool::Counters isolates_;
  std::optional<GuestThread> thread_;  // The last member: it uses the others from its start.
};

void Workers::Shared::start(Watchdog& watchdog) {
  workers_.reserve(options_.threads);
  sleeping_.reserve(options_.threads);
  try {
    for (unsigned count = 0; count < options_.threads; ++count) {
      workers_.push_back(std::make_unique<Worker>(*this, watchdog));
    }
  } catch (...) {
    askToEnd();  // Those that there are: their destructors wait for it. Nobody has posted yet.
    throw;
  }
}

void Workers::Shared::askToEnd() noexcept {
  const std::lock_guard lock(mutex_);
  ending_ = true;
  queue_.stop();
  makeReadyUntil(Clock::time_point::max());
  for (const auto& worker : workers_) worker->comes_.notify_one();
  wakeAll();
}

void Workers::Shared::end() noexcept {
  askToEnd();
  // All of them before the first one goes: a job's `done` may be about to wake another thread.
  for (const auto& worker : workers_) worker->join();
  std::vector<QueuedJob> cancelled;
  {
    const std::lock_guard lock(mutex_);
    cancelled = queue_.takeWaiting();
  }
  for (QueuedJob& queued : cancelled) {
    answer(queued.job, {.end = JobEnd::Cancelled, .waited = Clock::now() - queued.postedAt});
  }
}

void Workers::Shared::makeReady(OpenCall::Timers::iterator timer) {
  const std::shared_ptr<OpenCall> call = std::move(timer->second);
  timers_.erase(timer);
  call->isParked = false;
  call->isWoken = false;
  queue_.resume(call->tenant, call);
}

void Workers::Shared::makeReadyUntil(Clock::time_point now) {
  while (!timers_.empty() && timers_.begin()->first <= now) makeReady(timers_.begin());
}

void Workers::Shared::entrustTimers() noexcept {
  const auto next = nextTimer();
  if (next == Clock::time_point::max() || sleeping_.empty()) return;
  const bool isEntrusted = std::ranges::any_of(
      sleeping_, [next](const Worker* worker) { return worker->sleepsUntil_ <= next; });
  if (!isEntrusted) wakeLast();
}

WakeUpCall Workers::Shared::nextToWake() {
  return !sleeping_.empty() && queue_.isReady() ? takeLastSleeper() : WakeUpCall();
}

// The one that watches only if it has found the work itself, or there is no other.
WakeUpCall Workers::Shared::takeLastSleeper() noexcept {
  auto taken = std::prev(sleeping_.end());
  if (watcher_ != nullptr && watcher_->isSleeping_) {
    const auto watcher = std::ranges::find(sleeping_, watcher_);
    if (watcher_->threadId_ == std::this_thread::get_id()) {
      taken = watcher;
    } else if (taken == watcher && taken != sleeping_.begin()) {
      --taken;
    }
  }
  Worker* const worker = *taken;
  sleeping_.erase(taken);
  worker->isSleeping_ = false;
  return worker == watcher_ ? WakeUpCall{.watched = options_.source}
                            : WakeUpCall{.condition = &worker->wakeUp_};
}

void Workers::Shared::wakeLast() noexcept {
  if (!sleeping_.empty()) takeLastSleeper().make();
}

void Workers::Shared::offerWatch() noexcept {
  WakeUpCall woken;
  {
    const std::lock_guard lock(mutex_);
    if (watcher_ == nullptr && !sleeping_.empty()) woken = takeLastSleeper();
  }
  woken.make();
}

void Workers::Shared::wakeAll() noexcept {
  while (!sleeping_.empty()) wakeLast();
}

bool Workers::Shared::tryPost(Job job) {
  WakeUpCall woken;
  {
    const std::lock_guard lock(mutex_);
    if (ending_ || !queue_.tryAdd(job)) {
      ++refused_;
      return false;
    }
    woken = nextToWake();
  }
  woken.make();
  return true;
}

bool Workers::Shared::drainUntil(Clock::time_point until) {
  std::unique_lock lock(mutex_);
  return idle_.wait_until(lock, until, [this] { return isIdle(); });
}

Workers::Counters Workers::Shared::counters() const {
  const std::lock_guard lock(mutex_);
  Counters counters{.queued = queue_.waiting(),
                    .running = queue_.running(),
                    .parked = queue_.open() - queue_.running(),
                    .served = served_,
                    .refused = refused_,
                    .isolates = {}};
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
  if (options.threads == 0 || options.queueMax == 0 || options.openMax == 0) {
    throw invalidRequest("workers need at least one thread, a queue of one job, and one open call");
  }
  shared_ = std::make_shared<Shared>(options);
  shared_->start(watchdog);
}

Workers::~Workers() {
  if (shared_) shared_->end();
}

void Workers::offerWatch() noexcept { shared_->offerWatch(); }

bool Workers::tryPost(Job job) { return shared_->tryPost(std::move(job)); }

void Workers::drain() { drainUntil(Clock::time_point::max()); }

bool Workers::drainUntil(Clock::time_point until) { return shared_->drainUntil(until); }

Workers::Counters Workers::counters() const { return shared_->counters(); }

}  // namespace schemascript
