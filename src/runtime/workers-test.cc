// Worker threads: each job is answered once, in an order that is fair, whatever becomes of it.
#include "runtime/workers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <future>
#include <latch>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/testing.h"
#include "sandbox/testing.h"

namespace schemascript {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kBundle = R"js(
  let count = 0;
  export const next = () => ++count;
  export const same = (x) => x;
  export const say = () => { console.log("x"); return 1; };
  export const loop = () => { for (;;); };
  export const fill = () => { const all = []; for (;;) all.push(new Uint8Array(1e6)); };
  export const wait = (ms) => new Promise((resolve) => setTimeout(() => resolve(ms), ms));
  export const sayAndLoop = () => { console.log("x"); for (;;); };
)js";

// So long that no test gets there: what ends before it was ended by something else.
constexpr auto kNever = std::chrono::hours(1);

// Opened once, from any thread; whoever waits for it passes then.
class Gate {
 public:
  void open() { opened_.count_down(); }
  void wait() const { opened_.wait(); }

 private:
  std::latch opened_{1};
};

// What jobs came to, in the order in which they ended. Thread-safe.
class Ends {
 public:
  void add(std::string name, JobReport report = {}) {
    const std::lock_guard lock(mutex_);
    names_.push_back(std::move(name));
    reports_.push_back(std::move(report));
  }
  std::vector<std::string> names() const {
    const std::lock_guard lock(mutex_);
    return names_;
  }
  std::vector<JobReport> reports() const {
    const std::lock_guard lock(mutex_);
    return reports_;
  }
  std::size_t count(JobEnd end) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::ranges::count(reports_, end, &JobReport::end));
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> names_;
  std::vector<JobReport> reports_;
};

class Working : public WithEngine<> {
 protected:
  static std::shared_ptr<const App> load(std::string_view bundle = kBundle, Limits limits = {}) {
    AppOptions options;
    options.limits = limits;
    App::Loaded loaded = App::load(*engine_, *watchdog_, bundle, std::move(options));
    EXPECT_TRUE(loaded.app) << loaded.error.message;
    return loaded.app;
  }

  static Limits withTime(std::chrono::milliseconds runTimeMax) {
    Limits limits;
    limits.runTimeMax = runTimeMax;
    return limits;
  }

  Job job(std::string name, std::string key = {}) const {
    return {.app = app_, .database = database_, .key = std::move(key), .name = std::move(name)};
  }

  // One that adds `label` to `ends` when it has ended.
  static Job noting(Ends& ends, std::string label, Job job) {
    job.done = [&ends, label = std::move(label)](JobReport report) {
      ends.add(label, std::move(report));
    };
    return job;
  }

  // Posts one that holds its thread, in its log, until `gate` opens; returns when it is there.
  void occupy(Workers& workers, const Gate& gate, std::string key, Ends* ends = nullptr) const {
    Gate isRunning;
    Job held = job("say", std::move(key));
    held.request.log = [&](LogStream, std::string_view) {
      isRunning.open();
      gate.wait();
    };
    if (ends != nullptr) held = noting(*ends, "held", std::move(held));
    ASSERT_TRUE(workers.tryPost(std::move(held)));
    isRunning.wait();
  }

  std::shared_ptr<const App> app_ = load();
  std::shared_ptr<ConnectionPool> database_ = std::make_shared<ConnectionPool>(DatabaseOptions{});
};

TEST_F(Working, AnswersEachJobOnce) {
  const auto app = load("export const double = (x) => 2 * x;");
  Workers workers(*watchdog_, {.threads = 2, .resetCheck = ResetCheck::Yes});
  std::mutex mutex;
  std::vector<std::string> answers(100);
  for (int number = 0; number < 100; ++number) {
    ASSERT_TRUE(workers.tryPost({.app = app,
                                 .database = database_,
                                 .name = "double",
                                 .argument = std::to_string(number),
                                 .done = [&, number](JobReport report) {
                                   const std::lock_guard lock(mutex);
                                   answers[number] += report.call.result;
                                 }}));
  }
  workers.drain();
  for (int number = 0; number < 100; ++number) {
    EXPECT_EQ(answers[number], std::to_string(2 * number));
  }
  EXPECT_EQ(workers.counters().served, 100u);
}

TEST_F(Working, RefusesToHaveNoThreadOrNoQueue) {
  for (const WorkersOptions& options :
       {WorkersOptions{.threads = 0}, WorkersOptions{.queueMax = 0}, WorkersOptions{.openMax = 0}})
    expectError(ErrorCode::InvalidRequest,
                "workers need at least one thread, a queue of one job, and one open call",
                [&] { Workers(*watchdog_, options); });
}

TEST_F(Working, LetsKeysTakeTurnsAndKeepsTheOrderWithinEach) {
  Ends ends;
  Gate gate;
  Workers workers(*watchdog_, {.threads = 1, .resetCheck = ResetCheck::Yes});
  occupy(workers, gate, "other");
  // One tenant came first with all of its jobs.
  for (const std::string_view label : {"a1", "a2", "a3", "a4", "b1", "b2", "c1"}) {
    ASSERT_TRUE(workers.tryPost(
        noting(ends, std::string(label), job("next", std::string(label.substr(0, 1))))));
  }
  gate.open();
  workers.drain();
  EXPECT_EQ(ends.names(), (std::vector<std::string>{"a1", "b1", "c1", "a2", "b2", "a3", "a4"}));
}

TEST_F(Working, RunsAsManyOfAKeyAsMayAndNoMore) {
  for (const unsigned most : {1u, 2u}) {
    Ends ends;
    Gate gate;
    Workers workers(*watchdog_,
                    {.threads = 3, .runningPerKeyMax = most, .resetCheck = ResetCheck::Yes});
    for (unsigned count = 0; count < most; ++count) occupy(workers, gate, "greedy");
    // One more of it waits, though a thread is free, and others pass it.
    ASSERT_TRUE(workers.tryPost(noting(ends, "greedy", job("next", "greedy"))));
    for (int count = 0; count < 5; ++count) {
      std::promise<void> ended;
      Job other = job("next", "modest");
      other.done = [&](JobReport) { ended.set_value(); };
      ASSERT_TRUE(workers.tryPost(std::move(other)));
      ended.get_future().wait();
    }
    EXPECT_TRUE(ends.names().empty());
    EXPECT_EQ(workers.counters().queued, 1u);
    gate.open();
    workers.drain();
    EXPECT_EQ(ends.names().size(), 1u);
  }
}

TEST_F(Working, RunsAsManyOfAKeyAsThereAreThreadsUnlessTold) {
  std::latch all{3};
  Workers workers(*watchdog_, {.threads = 3, .resetCheck = ResetCheck::Yes});
  for (int count = 0; count < 3; ++count) {
    Job together = job("say", "one");
    together.request.log = [&](LogStream, std::string_view) { all.arrive_and_wait(); };
    ASSERT_TRUE(workers.tryPost(std::move(together)));
  }
  workers.drain();  // For ever, if they did not run at the same time.
  EXPECT_TRUE(all.try_wait());
}

TEST_F(Working, RefusesWhatTheQueueCannotHold) {
  Ends ends;
  Gate gate;
  Workers workers(*watchdog_, {.threads = 1, .queueMax = 3, .resetCheck = ResetCheck::Yes});
  occupy(workers, gate, "");
  for (int count = 0; count < 3; ++count) {
    ASSERT_TRUE(workers.tryPost(noting(ends, "kept", job("next", std::to_string(count)))));
  }
  const auto owned = std::make_shared<int>(0);
  Job refused = noting(ends, "refused", job("next", "new"));
  refused.request.log = [owned](LogStream, std::string_view) {};
  EXPECT_FALSE(workers.tryPost(std::move(refused)));
  EXPECT_EQ(owned.use_count(), 1);  // It is not kept.
  EXPECT_EQ(workers.counters().queued, 3u);
  EXPECT_EQ(workers.counters().running, 1u);
  EXPECT_EQ(workers.counters().refused, 1u);
  gate.open();
  workers.drain();
  EXPECT_EQ(ends.names(), (std::vector<std::string>{"kept", "kept", "kept"}));
  EXPECT_TRUE(workers.tryPost(noting(ends, "later", job("next", "new"))));
  workers.drain();
  EXPECT_EQ(workers.counters().served, 5u);
}

TEST_F(Working, RefusesWhatAKeyMayNotLetWait) {
  Ends ends;
  Gate gate;
  Workers workers(
      *watchdog_,
      {.threads = 1, .queueMax = 4, .waitingPerKeyMax = 2, .resetCheck = ResetCheck::Yes});
  occupy(workers, gate, "a");
  const auto tryPost = [&](const std::string& key) {
    return workers.tryPost(noting(ends, key, job("next", key)));
  };
  // What runs does not count as waiting.
  EXPECT_TRUE(tryPost("a"));
  EXPECT_TRUE(tryPost("a"));
  EXPECT_FALSE(tryPost("a"));
  EXPECT_TRUE(tryPost(""));  // A key as any other.
  EXPECT_TRUE(tryPost(""));
  EXPECT_FALSE(tryPost(""));
  EXPECT_FALSE(tryPost("b"));  // It has none, but the queue is full.
  EXPECT_EQ(workers.counters().refused, 3u);
  gate.open();
  workers.drain();
  EXPECT_EQ(ends.names().size(), 4u);
  EXPECT_TRUE(tryPost("a"));
}

TEST_F(Working, RunsNothingWhoseTimeHasPassed) {
  Ends ends;
  Gate gate;
  Workers workers(*watchdog_, {.threads = 1, .resetCheck = ResetCheck::Yes});
  occupy(workers, gate, "");
  const auto now = std::chrono::steady_clock::now();
  Job late = noting(ends, "late", job("next"));
  late.notAfter = now;
  late.request.log = [](LogStream, std::string_view) { ADD_FAILURE() << "it was run"; };
  late.name = "say";
  ASSERT_TRUE(workers.tryPost(std::move(late)));
  Job inTime = noting(ends, "in time", job("next"));
  inTime.notAfter = now + kNever;
  ASSERT_TRUE(workers.tryPost(std::move(inTime)));
  gate.open();
  workers.drain();
  EXPECT_EQ(ends.names(), (std::vector<std::string>{"late", "in time"}));
  EXPECT_EQ(ends.reports()[0].end, JobEnd::TooLate);
  EXPECT_GT(ends.reports()[0].waited, 0ns);
  EXPECT_EQ(ends.reports()[1].end, JobEnd::Called);
  EXPECT_EQ(ends.reports()[1].call.result, "1");
  EXPECT_EQ(workers.counters().served, 3u);
}

TEST_F(Working, CancelsEachJobThatWaitsAtItsEndOnce) {
  constexpr std::size_t kJobs = 50;
  Ends ends;
  Gate gate;
  std::atomic<int> refused = 0;
  std::jthread opener;
  {
    Workers workers(*watchdog_,
                    {.threads = 2, .runningPerKeyMax = 1, .resetCheck = ResetCheck::Yes});
    occupy(workers, gate, "held", &ends);
    Gate otherGate;
    occupy(workers, gate, "other", &ends);
    for (std::size_t count = 0; count < kJobs; ++count) {
      Job waits = job("next", std::to_string(count % 7));
      waits.done = [&](JobReport report) {
        // It may ask for more, and gets nothing.
        if (!workers.tryPost(job("next"))) ++refused;
        ends.add("waited", std::move(report));
      };
      ASSERT_TRUE(workers.tryPost(std::move(waits)));
    }
    // Those that run are let go only after the others cannot be begun any more: the destructor has
    // then said that it is the end, which nothing shows from outside.
    opener = std::jthread([&] {
      std::this_thread::sleep_for(100ms);
      gate.open();
    });
  }
  EXPECT_EQ(ends.names().size(), kJobs + 2);
  EXPECT_EQ(ends.count(JobEnd::Called) + ends.count(JobEnd::Cancelled), kJobs + 2);
  EXPECT_GE(ends.count(JobEnd::Called), 2u);
  EXPECT_GT(ends.count(JobEnd::Cancelled), 0u);
  EXPECT_EQ(static_cast<std::size_t>(refused), ends.count(JobEnd::Cancelled));
}

// What a server's sockets are to workers: it posts on the thread that watches.
class FakeSource final : public JobSource {
 public:
  bool tryTakeWatch() noexcept override { return !isTaken_.exchange(true); }
  void watch(std::chrono::steady_clock::time_point until) noexcept override {
    std::unique_lock lock(mutex_);
    const auto isOver = [this] { return isInterrupted_ || event_ != nullptr; };
    if (until == std::chrono::steady_clock::time_point::max()) {
      comes_.wait(lock, isOver);
    } else {
      comes_.wait_until(lock, until, isOver);
    }
    const auto event = std::exchange(event_, nullptr);
    isInterrupted_ = false;
    lock.unlock();
    if (event) event();
    isTaken_ = false;
  }
  void interrupt() noexcept override {
    const std::lock_guard lock(mutex_);
    isInterrupted_ = true;
    comes_.notify_all();
  }

  // Runs on the thread that watches, or the next one that does.
  void happen(std::function<void()> event) {
    const std::lock_guard lock(mutex_);
    event_ = std::move(event);
    comes_.notify_all();
  }
  bool isWatched() const { return isTaken_; }

 private:
  std::mutex mutex_;
  std::condition_variable comes_;
  std::function<void()> event_;
  bool isInterrupted_ = false;
  std::atomic<bool> isTaken_ = false;
};

TEST_F(Working, ServesOnTheThreadThatWatches) {
  FakeSource source;
  Workers workers(*watchdog_, {.threads = 2, .source = &source});
  for (int count = 0; count < 20; ++count) {
    while (!source.isWatched()) std::this_thread::yield();
    std::promise<std::thread::id> postedBy;
    std::promise<std::thread::id> servedBy;
    source.happen([&] {
      postedBy.set_value(std::this_thread::get_id());
      Job next = job("next");
      next.done = [&](const JobReport&) { servedBy.set_value(std::this_thread::get_id()); };
      EXPECT_TRUE(workers.tryPost(std::move(next)));
    });
    EXPECT_EQ(servedBy.get_future().get(), postedBy.get_future().get());
  }
}

TEST_F(Working, WatchesWithOneThreadWhileOthersServe) {
  FakeSource source;
  Workers workers(*watchdog_, {.threads = 2, .source = &source});
  while (!source.isWatched()) std::this_thread::yield();
  // Posted from elsewhere, it is for the thread that sleeps; and if there is none, for the other.
  Gate gate;
  Ends ends;
  occupy(workers, gate, "held", &ends);
  EXPECT_TRUE(workers.tryPost(noting(ends, "second", job("next", "second"))));
  while (ends.names().empty()) std::this_thread::yield();
  EXPECT_EQ(ends.names(), std::vector<std::string>{"second"});
  while (!source.isWatched()) std::this_thread::yield();
  gate.open();
  workers.drain();
  // And when nobody watches, who sleeps takes the watch that is offered.
  workers.offerWatch();
  while (!source.isWatched()) std::this_thread::yield();
}

TEST_F(Working, EndsWhileItWatches) {
  for (int count = 0; count < 20; ++count) {
    FakeSource source;
    Workers workers(*watchdog_, {.threads = 2, .source = &source});
    if (count % 2 == 0) {
      while (!source.isWatched()) std::this_thread::yield();
    }
  }
}

TEST_F(Working, EndsWhileJobsPostAndWakeOthers) {
  for (int round = 0; round < 30; ++round) {
    std::atomic<std::size_t> accepted = 0;
    std::atomic<std::size_t> answered = 0;
    std::function<void(JobReport)> again;  // Until the last job has ended.
    {
      Workers workers(*watchdog_, {.threads = 4, .queueMax = 64, .resetCheck = ResetCheck::Yes});
      again = [&](JobReport) {
        ++answered;
        for (int count = 0; count < 2; ++count) {
          Job next = job("absent");
          next.done = again;
          if (workers.tryPost(std::move(next))) ++accepted;
        }
      };
      for (int count = 0; count < 4; ++count) {
        Job first = job("absent");
        first.done = again;
        ASSERT_TRUE(workers.tryPost(std::move(first)));
        ++accepted;
      }
      std::this_thread::yield();
    }
    EXPECT_EQ(accepted, answered);
  }
}

TEST_F(Working, ReportsWhatCouldNotBeCalledAndGoesOn) {
  Ends ends;
  Workers workers(*watchdog_, {.threads = 1, .resetCheck = ResetCheck::Yes});
  const auto post = [&](Job job) {
    ASSERT_TRUE(workers.tryPost(noting(ends, "", std::move(job))));
    workers.drain();
  };
  Job throwsOurs = job("say");
  throwsOurs.request.log = [](LogStream, std::string_view) { throw unavailable("no paper"); };
  post(throwsOurs);
  Job throwsOthers = job("say");
  throwsOthers.request.log = [](LogStream, std::string_view) { throw std::runtime_error("ink"); };
  post(throwsOthers);
  Job throwsNumber = job("say");
  throwsNumber.request.log = [](LogStream, std::string_view) { throw 7; };
  post(throwsNumber);
  Job otherMemory = job("say");
  otherMemory.request.limits = Limits{};
  otherMemory.request.limits->memoryBytesMax += kWasmPageBytes;
  post(otherMemory);
  Job nothing = job("say");
  nothing.app.reset();
  post(nothing);
  Job nowhere = job("say");
  nowhere.database.reset();
  post(nowhere);
  post(job("say"));

  const std::vector<JobReport> reports = ends.reports();
  ASSERT_EQ(reports.size(), 7u);
  const auto failedWith = [&](std::size_t index, ErrorCode code, std::string_view part) {
    EXPECT_EQ(reports[index].end, JobEnd::Failed);
    ASSERT_TRUE(reports[index].failure);
    EXPECT_EQ(nameOf(reports[index].failure->code()), nameOf(code));
    EXPECT_NE(reports[index].failure->message().find(part), std::string::npos)
        << reports[index].failure->message();
  };
  failedWith(0, ErrorCode::Unavailable, "no paper");
  failedWith(1, ErrorCode::Internal, "ink");
  failedWith(2, ErrorCode::Internal, "no exception");
  failedWith(3, ErrorCode::InvalidRequest, "memoryBytesMax");
  failedWith(4, ErrorCode::Internal, "without an app");
  failedWith(5, ErrorCode::Internal, "without an app or a database");
  EXPECT_EQ(reports[6].end, JobEnd::Called);
  EXPECT_EQ(reports[6].call.result, "1");
  EXPECT_EQ(workers.counters().served, 7u);
}

TEST_F(Working, SurvivesADoneThatThrowsOrIsMissing) {
  Workers workers(*watchdog_, {.threads = 1, .resetCheck = ResetCheck::Yes});
  for (int count = 0; count < 3; ++count) {
    Job throwing = job("next");
    throwing.done = [](JobReport) { throw std::runtime_error("no"); };
    ASSERT_TRUE(workers.tryPost(std::move(throwing)));
    ASSERT_TRUE(workers.tryPost(job("next")));
  }
  workers.drain();
  EXPECT_EQ(workers.counters().served, 6u);
  EXPECT_EQ(workers.counters().running, 0u);
}

TEST_F(Working, LetsADonePostAgainUntilTheQueueIsFull) {
  Ends ends;
  Workers workers(*watchdog_, {.threads = 1, .queueMax = 2, .resetCheck = ResetCheck::Yes});
  int accepted = 0;
  std::function<void(int)> post = [&](int depth) {
    Job next = job("next");
    next.done = [&, depth](JobReport report) {
      ends.add(std::to_string(depth), std::move(report));
      if (depth > 0) post(depth - 1);
      // From the only thread, which therefore takes none of these now.
      if (depth == 5) {
        while (workers.tryPost(job("next"))) ++accepted;
      }
    };
    EXPECT_TRUE(workers.tryPost(std::move(next)));
  };
  post(5);
  workers.drain();  // Those that came meanwhile, too.
  EXPECT_EQ(ends.names(), (std::vector<std::string>{"5", "4", "3", "2", "1", "0"}));
  EXPECT_EQ(accepted, 1);  // Beside the one of depth 4.
  EXPECT_EQ(workers.counters().served, 7u);
  EXPECT_EQ(workers.counters().refused, 1u);
}

TEST_F(Working, DrainsForManyWhileManyPost) {
  constexpr int kPosters = 6;
  constexpr int kJobs = 60;
  std::atomic<std::uint64_t> answered = 0;
  std::atomic<std::uint64_t> refused = 0;
  Workers workers(
      *watchdog_,
      {.threads = 3, .queueMax = 40, .waitingPerKeyMax = 20, .resetCheck = ResetCheck::Yes});
  {
    std::vector<std::jthread> threads;
    for (int poster = 0; poster < kPosters; ++poster) {
      threads.emplace_back([&, poster] {
        for (int count = 0; count < kJobs; ++count) {
          Job posted = job("next", std::to_string(poster % 4));
          posted.done = [&](JobReport report) {
            if (report.call.result == "1") ++answered;
          };
          if (!workers.tryPost(std::move(posted))) ++refused;
          if (count % 20 == 19) {
            workers.drain();
            static_cast<void>(workers.counters());
          }
        }
      });
    }
  }
  workers.drain();
  const Workers::Counters counters = workers.counters();
  EXPECT_EQ(answered + refused, std::uint64_t{kPosters} * kJobs);
  EXPECT_EQ(counters.served, answered);
  EXPECT_EQ(counters.refused, refused);
  EXPECT_EQ(counters.queued, 0u);
  EXPECT_EQ(counters.running, 0u);
  EXPECT_LE(counters.isolates.isolates, 3u);
  EXPECT_EQ(counters.isolates.made, counters.isolates.isolates + counters.isolates.discarded);
}

TEST_F(Working, LetsNobodyNoticeATenantThatLoopsForEver) {
  constexpr int kTenants = 99;
  std::stop_source atTheEnd;
  const auto looping = load(kBundle, withTime(kNever));
  Ends ends;
  std::latch answered{2 * kTenants};
  Workers workers(
      *watchdog_,
      {.threads = 2, .runningPerKeyMax = 1, .waitingPerKeyMax = 4, .resetCheck = ResetCheck::Yes});
  for (int count = 0; count < 4; ++count) {
    Job loops = noting(ends, "loops", job("loop", "looping"));
    loops.app = looping;
    loops.request.stop = atTheEnd.get_token();
    ASSERT_TRUE(workers.tryPost(std::move(loops)));
  }
  for (int round = 0; round < 2; ++round) {
    for (int tenant = 0; tenant < kTenants; ++tenant) {
      Job calls = job("next", std::to_string(tenant));
      calls.done = [&](JobReport report) {
        EXPECT_EQ(report.call.result, "1");
        answered.count_down();
      };
      ASSERT_TRUE(workers.tryPost(std::move(calls)));
    }
  }
  answered.wait();  // For ever, if it had taken both threads.
  EXPECT_TRUE(ends.names().empty());
  atTheEnd.request_stop();
  workers.drain();
  ASSERT_EQ(ends.names().size(), 4u);
  for (const JobReport& report : ends.reports()) {
    EXPECT_EQ(report.call.end, CallEnd::Cancelled);
  }
}

TEST_F(Working, KeepsTheStateOfEachDatabaseWhateverTheKey) {
  const auto other = std::make_shared<ConnectionPool>(DatabaseOptions{});
  Workers workers(*watchdog_, {.threads = 1, .resetCheck = ResetCheck::Yes});
  std::string answers;
  const auto next = [&](const auto& database, std::string key) {
    Job job = this->job("next", std::move(key));
    job.database = database;
    job.isolation = Isolation::Worker;
    job.done = [&](JobReport report) { answers += report.call.result; };
    ASSERT_TRUE(workers.tryPost(std::move(job)));
    workers.drain();
  };
  next(database_, "a");
  next(other, "a");
  next(database_, "b");
  next(other, "b");
  EXPECT_EQ(answers, "1122");
}

TEST_F(Working, GivesNoDatabaseTheStateOfOneThatEnded) {
  Workers workers(*watchdog_, {.threads = 1, .resetCheck = ResetCheck::Yes});
  for (int round = 0; round < 20; ++round) {
    std::string answer;
    Job next = job("next");
    next.database.reset(new ConnectionPool(DatabaseOptions{}));
    next.isolation = Isolation::Worker;
    next.done = [&](JobReport report) { answer = report.call.result; };
    const std::weak_ptr<ConnectionPool> database = next.database;
    ASSERT_TRUE(workers.tryPost(std::move(next)));
    workers.drain();
    EXPECT_EQ(answer, "1");
    EXPECT_TRUE(database.expired());  // The isolate does not keep it.
  }
}

TEST_F(Working, KeepsAppsAndDatabasesForTheirJobs) {
  Gate gate;
  std::string answer;
  Workers workers(*watchdog_,
                  {.threads = 1, .isolateIdleTimeMax = 1ms, .resetCheck = ResetCheck::Yes});
  occupy(workers, gate, "");
  std::weak_ptr<const App> app;
  std::weak_ptr<ConnectionPool> database;
  {
    Job alone = job("same");
    alone.app = load();
    alone.database = std::make_shared<ConnectionPool>(DatabaseOptions{});
    alone.argument = "42";
    alone.done = [&](JobReport report) { answer = report.call.result; };
    app = alone.app;
    database = alone.database;
    ASSERT_TRUE(workers.tryPost(std::move(alone)));
  }
  EXPECT_FALSE(app.expired());
  gate.open();
  workers.drain();
  EXPECT_EQ(answer, "42");
  EXPECT_TRUE(database.expired());
  // The app is kept as long as an isolate of it is.
  while (!app.expired()) std::this_thread::sleep_for(1ms);
}

TEST_F(Working, GivesUpIsolatesThatMisbehaved) {
  struct Case {
    std::string_view name;
    CallEnd end;
    Limits limits;
  };
  Limits littleFuel;
  littleFuel.fuelMax = 100'000;
  Workers workers(*watchdog_, {.threads = 1, .resetCheck = ResetCheck::Yes});
  std::uint64_t discarded = 0;
  for (const Case& one : {Case{"loop", CallEnd::TimeExceeded, withTime(50ms)},
                          Case{"loop", CallEnd::FuelExceeded, littleFuel},
                          Case{"fill", CallEnd::MemoryExceeded, {}}}) {
    Ends ends;
    const auto call = [&](std::string name, std::optional<Limits> limits) {
      Job job = noting(ends, "", this->job(std::move(name)));
      job.isolation = Isolation::Worker;
      job.request.limits = limits;
      ASSERT_TRUE(workers.tryPost(std::move(job)));
      workers.drain();
    };
    call("next", {});
    call(std::string(one.name), one.limits);
    call("next", {});
    EXPECT_EQ(ends.reports()[1].call.end, one.end) << one.name;
    EXPECT_EQ(ends.reports()[2].call.result, "1") << one.name;
    EXPECT_EQ(workers.counters().isolates.discarded, ++discarded) << one.name;
  }
}

TEST_F(Working, GivesMemoryBackWhileNobodyCalls) {
  Ends ends;
  Workers workers(*watchdog_, {.threads = 2,
                               .isolateRestAfter = 1ms,
                               .isolateIdleTimeMax = 20ms,
                               .resetCheck = ResetCheck::Yes});
  for (int round = 0; round < 3; ++round) {
    for (int count = 0; count < 10; ++count) {
      ASSERT_TRUE(workers.tryPost(noting(ends, "", job("next"))));
    }
    workers.drain();
    while (workers.counters().isolates.isolates > 0) std::this_thread::sleep_for(1ms);
    EXPECT_EQ(workers.counters().isolates.bytes, 0u);
  }
  for (const JobReport& report : ends.reports()) EXPECT_EQ(report.call.result, "1");
  EXPECT_EQ(ends.names().size(), 30u);
}

TEST_F(Working, StaysWithinTheBudgetOfItsIsolates) {
  constexpr std::uint64_t kBytesMax = 4u << 20;
  Workers workers(*watchdog_,
                  {.threads = 2, .isolateBytesMax = kBytesMax, .resetCheck = ResetCheck::Yes});
  std::vector<std::shared_ptr<ConnectionPool>> databases;
  for (int count = 0; count < 30; ++count) {
    databases.push_back(std::make_shared<ConnectionPool>(DatabaseOptions{}));
    Job next = job("next");
    next.database = databases.back();
    next.isolation = Isolation::Worker;
    ASSERT_TRUE(workers.tryPost(std::move(next)));
  }
  workers.drain();
  const IsolatePool::Counters isolates = workers.counters().isolates;
  EXPECT_LE(isolates.bytes, kBytesMax);
  EXPECT_LT(isolates.isolates, 30u);
  EXPECT_GT(isolates.isolates, 1u);
  EXPECT_EQ(isolates.isolates + isolates.discarded, 30u);
}

TEST_F(Working, StopsTheCallThatIsMeantAndNoOther) {
  Workers workers(*watchdog_, {.threads = 1, .resetCheck = ResetCheck::Yes});
  const auto app = load(kBundle, withTime(kNever));
  Ends ends;
  const auto call = [&](std::string name, std::stop_token stop, std::string argument = {}) {
    Job job = noting(ends, name, this->job(name));
    job.app = app;
    job.argument = std::move(argument);
    job.request.stop = std::move(stop);
    ASSERT_TRUE(workers.tryPost(std::move(job)));
  };
  std::stop_source loops;
  std::stop_source waits;
  std::stop_source queued;
  std::stop_source late;
  call("loop", loops.get_token());
  call("wait", waits.get_token(), "1000000");
  call("loop", queued.get_token());
  call("next", late.get_token());
  queued.request_stop();
  loops.request_stop();
  waits.request_stop();
  workers.drain();
  late.request_stop();
  call("next", {});
  workers.drain();
  const std::vector<JobReport> reports = ends.reports();
  ASSERT_EQ(reports.size(), 5u);
  for (std::size_t index = 0; index < 3; ++index) {
    EXPECT_EQ(reports[index].call.end, CallEnd::Cancelled) << index;
  }
  EXPECT_EQ(reports[3].call.result, "1");
  EXPECT_EQ(reports[4].call.result, "1");
}

// A client that has what it is told, and says what it is given.
class FakePeer : public FetchPeer {
 public:
  Taken respond(FetchResponse response) override {
    const std::lock_guard lock(mutex_);
    text_ += response.body;
    return answer_;
  }
  Taken write(BodyPiece piece) override {
    const std::lock_guard lock(mutex_);
    text_ += piece.bytes;
    return answer_;
  }
  void whenRoom(std::function<void()> then) override {
    const std::lock_guard lock(mutex_);
    room_ = std::move(then);
  }
  void readMore(GotBody then) override {
    const std::lock_guard lock(mutex_);
    wanted_ = std::move(then);
  }

  void setAnswer(Taken answer) {
    const std::lock_guard lock(mutex_);
    answer_ = answer;
  }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }
  // Waits until the call has asked for it.
  std::function<void()> takeRoom() { return take(room_); }
  GotBody takeWanted() { return take(wanted_); }
  std::function<void()> tryTakeRoom() {
    const std::lock_guard lock(mutex_);
    return std::exchange(room_, nullptr);
  }

 private:
  template <typename Function>
  Function take(Function& from) {
    for (;;) {
      {
        const std::lock_guard lock(mutex_);
        if (from) return std::exchange(from, nullptr);
      }
      std::this_thread::sleep_for(1ms);
    }
  }

  mutable std::mutex mutex_;
  Taken answer_ = Taken::Yes;
  std::string text_;
  std::function<void()> room_;
  GotBody wanted_;
};

constexpr std::string_view kHandlers = R"js(
  const ask = (sql) => __host_sqlite_call(JSON.stringify({ method: "run", sql }));
  export default { async fetch(request) {
    switch (new URL(request.url).pathname) {
      case "/echo": return new Response(request.body);
      case "/count": return new Response("got " + (await request.text()).length);
      case "/wait": await new Promise((resolve) => setTimeout(resolve, 3_600_000)); break;
    }
    return new Response("done");
  } };
)js";

class Parking : public Working {
 protected:
  struct Call {
    std::shared_ptr<FakePeer> peer = std::make_shared<FakePeer>();
    std::stop_source stop;
    std::promise<JobReport> ended;
    std::future<JobReport> report = ended.get_future();
  };

  void post(Workers& workers, Call& call, std::string_view path, bool hasBody = false,
            std::chrono::milliseconds timeMax = kNever) {
    const HeaderFields headers;
    Limits limits = app_->limits();
    limits.runTimeMax = timeMax;
    Job posted = job("");
    posted.app = handlers_;
    posted.argument = encodeFetch({.method = hasBody ? "POST" : "GET",
                                   .url = str("http://a", path),
                                   .headers = headers,
                                   .body = "",
                                   .hasBody = hasBody,
                                   .bodyFollows = hasBody});
    posted.request.kind = CallKind::Fetch;
    posted.request.limits = limits;
    posted.request.stop = call.stop.get_token();
    posted.peer = call.peer;
    posted.done = [&call](JobReport report) { call.ended.set_value(std::move(report)); };
    ASSERT_TRUE(workers.tryPost(std::move(posted)));
  }

  static void untilParked(const Workers& workers, std::size_t count) {
    while (workers.counters().parked != count) std::this_thread::sleep_for(1ms);
  }

  const std::shared_ptr<const App> handlers_ = load(kHandlers);
};

// All of them wait, and the thread that they share is free for the one that comes after them.
TEST_F(Parking, LetsOneThreadServeManyThatWait) {
  Workers workers(*watchdog_, {.threads = 1, .resetCheck = ResetCheck::Yes});
  std::vector<std::unique_ptr<Call>> calls;
  for (int count = 0; count < 20; ++count) {
    post(workers, *calls.emplace_back(std::make_unique<Call>()), "/count", true);
  }
  untilParked(workers, calls.size());
  Call other;
  post(workers, other, "/");
  EXPECT_EQ(other.report.get().call.end, CallEnd::Answered);
  EXPECT_EQ(other.peer->text(), "done");
  for (std::size_t index = calls.size(); index-- > 0;) {
    calls[index]->peer->takeWanted()(std::string(index, 'x'), Instance::BodyState::Last);
  }
  for (std::size_t index = 0; index < calls.size(); ++index) {
    EXPECT_EQ(calls[index]->report.get().call.end, CallEnd::Answered);
    EXPECT_EQ(calls[index]->peer->text(), str("got ", index));
  }
  workers.drain();
  EXPECT_EQ(workers.counters().parked, 0u);
  EXPECT_EQ(workers.counters().served, 21u);
}

TEST_F(Parking, PassesBodiesBothWaysAndWaitsForTheReader) {
  Workers workers(*watchdog_, {.threads = 2, .resetCheck = ResetCheck::Yes});
  Call call;
  call.peer->setAnswer(FetchPeer::Taken::Full);
  post(workers, call, "/echo", true);
  std::string sent;
  for (int piece = 0; piece < 50; ++piece) {
    call.peer->takeRoom()();  // For the head, then for each piece.
    const std::string bytes(static_cast<std::size_t>(piece) * 100 + 1, 'a');
    sent += bytes;
    call.peer->takeWanted()(
        bytes, piece == 49 ? Instance::BodyState::Last : Instance::BodyState::Continues);
  }
  while (call.report.wait_for(1ms) != std::future_status::ready) {
    if (const auto room = call.peer->tryTakeRoom()) room();
  }
  EXPECT_EQ(call.report.get().call.end, CallEnd::Answered);
  EXPECT_EQ(call.peer->text(), sent);
}

TEST_F(Parking, GoesOnOnWhicheverThreadIsFree) {
  Workers workers(*watchdog_, {.threads = 2, .resetCheck = ResetCheck::Yes});
  Call call;
  post(workers, call, "/count", true);
  untilParked(workers, 1);
  const auto got = call.peer->takeWanted();
  Gate gate;
  occupy(workers, gate, "");  // One of the two, perhaps the one that began the call.
  got("four", Instance::BodyState::Last);
  EXPECT_EQ(call.report.get().call.end, CallEnd::Answered);
  gate.open();
}

// The end of a job may be what a call of its tenant waited for, and another tenant's job: each of
// both holds its thread until the other one is there.
TEST_F(Parking, WakesAThreadForAllThatAnEndMakesReady) {
  Workers workers(*watchdog_, {.threads = 3, .runningPerKeyMax = 1, .openMax = 2});
  const auto app = load(R"js(
    export const later = async () => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      console.log("here");
    };
  )js");
  std::mutex mutex;
  std::condition_variable changed;
  int here = 0;
  std::atomic<int> met{0};
  const LogSink meet = [&](LogStream, std::string_view) {
    std::unique_lock lock(mutex);
    ++here;
    changed.notify_all();
    if (changed.wait_for(lock, 2s, [&] { return here == 2; })) ++met;
  };
  Job later = job("later", "a");
  later.app = app;
  later.request.log = meet;
  ASSERT_TRUE(workers.tryPost(std::move(later)));
  untilParked(workers, 1);
  Gate gate;
  occupy(workers, gate, "a");
  Job other = job("say", "b");
  other.request.log = meet;
  ASSERT_TRUE(workers.tryPost(std::move(other)));
  std::this_thread::sleep_for(200ms);  // Until the timer has fired.
  gate.open();
  workers.drain();
  EXPECT_EQ(met, 2);
}

TEST_F(Parking, EndsWhatIsStoppedOrTooLateWhileItWaits) {
  Workers workers(*watchdog_, {.threads = 1, .resetCheck = ResetCheck::Yes});
  for (const bool isStopped : {true, false}) {
    const auto timeMax = isStopped ? std::chrono::milliseconds(kNever) : 300ms;
    Call timer;
    Call body;
    Call reader;
    reader.peer->setAnswer(FetchPeer::Taken::Full);
    post(workers, timer, "/wait", false, timeMax);
    post(workers, body, "/count", true, timeMax);
    post(workers, reader, "/echo", true, timeMax);
    const auto room = reader.peer->takeRoom();
    if (isStopped) {
      untilParked(workers, 3);
      for (Call* const call : {&timer, &body, &reader}) call->stop.request_stop();
    }
    for (Call* const call : {&timer, &body, &reader}) {
      EXPECT_EQ(call->report.get().call.end,
                isStopped ? CallEnd::Cancelled : CallEnd::TimeExceeded);
    }
    room();  // Nobody listens any more.
  }
}

TEST_F(Parking, CancelsACallWhoseClientHasGone) {
  Workers workers(*watchdog_, {.threads = 1, .resetCheck = ResetCheck::Yes});
  Call call;
  call.peer->setAnswer(FetchPeer::Taken::Gone);
  post(workers, call, "/echo", true);
  EXPECT_EQ(call.report.get().call.end, CallEnd::Cancelled);
}

TEST_F(Parking, EndsWithCallsThatWait) {
  Call timer;
  Call body;
  Call reader;
  std::function<void()> room;
  FetchPeer::GotBody got;
  {
    Workers workers(*watchdog_, {.threads = 2, .resetCheck = ResetCheck::Yes});
    reader.peer->setAnswer(FetchPeer::Taken::Full);
    post(workers, timer, "/wait");
    post(workers, body, "/count", true);
    post(workers, reader, "/echo", true);
    room = reader.peer->takeRoom();
    got = body.peer->takeWanted();
    untilParked(workers, 3);
    EXPECT_FALSE(workers.drainUntil(std::chrono::steady_clock::now()));
  }
  for (Call* const call : {&timer, &body, &reader}) {
    EXPECT_EQ(call->report.get().call.end, CallEnd::Cancelled);
  }
  room();
  got("late", Instance::BodyState::Last);
}

// Whoever waits to write would hold the only thread, and with it who could let it.
TEST_F(Parking, KeepsAThreadForACallThatHasATransaction) {
  const auto writers = load(R"js(
    const ask = (request) => {
      const answer = JSON.parse(__host_sqlite_call(JSON.stringify(request)));
      if (answer.error) throw new Error(answer.error.message);
      return answer;
    };
    export const slowly = async () => {
      const { transaction } = ask({ method: "begin", behavior: "immediate" });
      ask({ method: "run", sql: "insert into t values (1)", transaction });
      await new Promise((resolve) => setTimeout(resolve, 20));
      ask({ method: "commit", transaction });
      return 1;
    };
  )js");
  database_->lend()->execute("create table t (x)", Rules::Host);
  Ends ends;
  Workers workers(*watchdog_, {.threads = 2, .resetCheck = ResetCheck::Yes});
  for (int count = 0; count < 10; ++count) {
    Job slow = job("slowly");
    slow.app = writers;
    ASSERT_TRUE(workers.tryPost(noting(ends, "slow", std::move(slow))));
  }
  workers.drain();
  for (const JobReport& report : ends.reports()) {
    EXPECT_EQ(report.call.end, CallEnd::Answered) << report.call.error.message;
  }
}

TEST_F(Parking, OpensDatabasesWhereTheCallsAre) {
  Workers workers(*watchdog_, {.threads = 1, .resetCheck = ResetCheck::Yes});
  Ends ends;
  const auto opened = [&](std::string label, auto&& open) {
    Job posted = job("next");
    posted.database = nullptr;
    posted.open = open;
    ASSERT_TRUE(workers.tryPost(noting(ends, std::move(label), std::move(posted))));
  };
  opened("there", [this] { return database_; });
  opened("none", [] { return std::shared_ptr<ConnectionPool>(); });
  opened("damaged", []() -> std::shared_ptr<ConnectionPool> { throw unavailable("damaged"); });
  workers.drain();
  const auto reports = ends.reports();
  EXPECT_EQ(reports.at(0).call.result, "1");
  EXPECT_EQ(reports.at(1).end, JobEnd::NoDatabase);
  EXPECT_EQ(reports.at(2).end, JobEnd::Failed);
  EXPECT_EQ(reports.at(2).failure->message(), "damaged");
}

}  // namespace
}  // namespace schemascript
