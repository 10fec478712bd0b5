// The order of the workers' jobs and calls, beside a model that looks at everything each time.
#include "runtime/work-queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "base/testing.h"

namespace schemascript {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// The queue only passes calls on: one that is nothing but its number serves as well.
std::shared_ptr<OpenCall> callOf(int number) {
  const auto token = std::make_shared<int>(number);
  return {token, static_cast<OpenCall*>(static_cast<void*>(token.get()))};
}
int numberOf(const std::shared_ptr<OpenCall>& call) {
  return *static_cast<const int*>(static_cast<const void*>(call.get()));
}

class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}
  // From `min` to `max`, both included.
  int from(int min, int max) { return std::uniform_int_distribution<int>(min, max)(engine_); }
  bool oneIn(int count) { return from(1, count) == 1; }

 private:
  std::mt19937 engine_;
};

// What each tenant has, by the numbers of its jobs.
struct Modelled {
  std::deque<int> waiting;
  std::deque<Clock::time_point> postedFrom;  // When tryAdd() was called, of each.
  std::deque<int> ready;
  std::vector<int> parked;
  std::vector<int> running;
  // Takes of each other tenant since this one could have run, and jobs of each that were begun
  // since one of this one's could have been but for openMax.
  std::map<std::string, int> takenBefore;
  std::map<std::string, int> begunBefore;

  std::size_t open() const { return ready.size() + parked.size() + running.size(); }
};

// How often another tenant may be taken before one that could run: what it was kept waiting for
// from openMax, its turn, and what it is kept waiting for then.
constexpr int kTakenBeforeMax = 3;
// The same of jobs that begin, while the one before may have a turn for a call that goes on first.
constexpr int kBegunBeforeMax = 2 * kTakenBeforeMax + 1;

// A queue and its model, which does the same and compares.
class Compared {
 public:
  explicit Compared(std::uint32_t seed) : random_(seed), options_(optionsOf(random_)) {}

  void run(int operations) {
    for (int operation = 0; operation < operations && !testing::Test::HasFailure(); ++operation) {
      change();
      compare();
    }
    end();
  }

 private:
  static WorkersOptions optionsOf(Random& random) {
    const auto size = [&](int min, int max) {
      return static_cast<std::size_t>(random.from(min, max));
    };
    return {.threads = static_cast<unsigned>(random.from(1, 5)),
            .queueMax = size(1, 30),
            .runningPerKeyMax = static_cast<unsigned>(random.from(0, 3)),
            .openMax = size(1, 9),
            .openPerKeyMax = size(0, 4),
            .waitingPerKeyMax = size(0, 6)};
  }

  void change() {
    switch (random_.from(0, 9)) {
      case 0:
      case 1:
      case 2:
        return add(std::string(1, static_cast<char>('a' + random_.from(0, 5))));
      case 3:
      case 4:
      case 5:
        return runningCount() < options_.threads ? take() : leave(random_.oneIn(2));
      case 6:
        return resumeOne();
      default:
        return leave(random_.oneIn(2));
    }
  }

  void add(const std::string& key) {
    const auto found = tenants_.find(key);
    const std::size_t waitsOfKey = found == tenants_.end() ? 0 : found->second.waiting.size();
    const std::size_t perKey =
        options_.waitingPerKeyMax == 0 ? options_.queueMax : options_.waitingPerKeyMax;
    const bool isExpected =
        !isStopped_ && waitingCount() < options_.queueMax && waitsOfKey < perKey;
    Job job{.key = key, .name = std::to_string(next_)};
    const auto from = Clock::now();
    ASSERT_EQ(queue_.tryAdd(job), isExpected);
    if (!isExpected) {
      EXPECT_EQ(job.key + job.name, key + std::to_string(next_)) << "a job that was refused";
      return;
    }
    tenants_[key].waiting.push_back(next_++);
    tenants_[key].postedFrom.push_back(from);
  }

  void take() {
    if (!queue_.isReady()) return;
    const std::map<std::string, Modelled> before = tenants_;
    const bool hadRoom = openCount() < options_.openMax;
    WorkQueue::Work work = queue_.take();
    ASSERT_NE(work.tenant, nullptr);
    const std::string key = work.tenant->key;
    ASSERT_TRUE(tenants_.contains(key));
    Modelled& tenant = tenants_[key];
    ASSERT_TRUE(mayRun(tenant)) << key << " is at a limit";
    ASSERT_EQ(work.job.has_value(), work.call == nullptr);
    tenant.takenBefore.clear();
    if (work.call) {
      ASSERT_FALSE(tenant.ready.empty());
      EXPECT_EQ(numberOf(work.call), tenant.ready.front()) << "the first that can go on";
      tenant.ready.pop_front();
      tenant.running.push_back(numberOf(work.call));
    } else {
      ASSERT_TRUE(hadRoom && wantsToBegin(tenant)) << key << " has too many open";
      EXPECT_EQ(work.job->job.name, std::to_string(tenant.waiting.front())) << "the oldest job";
      EXPECT_EQ(work.job->job.key, key);
      EXPECT_GE(work.job->postedAt, tenant.postedFrom.front());
      if (tenant.postedFrom.size() > 1) {
        EXPECT_LE(work.job->postedAt, tenant.postedFrom[1]);
      }
      begun_.insert(tenant.waiting.front());
      tenant.running.push_back(tenant.waiting.front());
      tenant.waiting.pop_front();
      tenant.postedFrom.pop_front();
      tenant.begunBefore.clear();
    }
    handles_[key] = work.tenant;
    countTurns(key, !work.call, before);
  }

  // Who could have run before, and did not.
  void countTurns(const std::string& taken, bool isBegun,
                  const std::map<std::string, Modelled>& before) {
    for (auto& [key, tenant] : tenants_) {
      if (key == taken) continue;
      if (mayRunAmong(before.at(key), openOf(before))) {
        EXPECT_LE(++tenant.takenBefore[taken], kTakenBeforeMax) << taken << " before " << key;
      }
      if (isBegun && wantsToBegin(tenant)) {
        EXPECT_LE(++tenant.begunBefore[taken], kBegunBeforeMax) << taken << " before " << key;
      }
    }
  }

  void leave(bool isEnd) {
    const auto found = std::ranges::find_if(
        tenants_, [](const auto& entry) { return !entry.second.running.empty(); });
    if (found == tenants_.end()) return;
    auto& [key, tenant] =
        *chooseFrom(found, [](const Modelled& one) { return !one.running.empty(); });
    const int number = takeAny(tenant.running);
    WorkQueue::Tenant& handle = *handles_.at(key);
    if (!isEnd) {
      tenant.parked.push_back(number);
      return queue_.park(handle);
    }
    EXPECT_TRUE(ended_.insert(number).second) << number << " ended twice";
    queue_.end(handle);
    if (tenant.open() == 0 && tenant.waiting.empty()) {
      handles_.erase(key);
      tenants_.erase(key);
    }
  }

  void resumeOne() {
    const auto hasParked = [](const Modelled& one) { return !one.parked.empty(); };
    const auto found =
        std::ranges::find_if(tenants_, [&](const auto& entry) { return hasParked(entry.second); });
    if (found == tenants_.end()) return;
    auto& [key, tenant] = *chooseFrom(found, hasParked);
    const int number = takeAny(tenant.parked);
    tenant.ready.push_back(number);
    queue_.resume(*handles_.at(key), callOf(number));
  }

  // `first`, or another one that `matches`.
  template <typename Iterator, typename Matches>
  Iterator chooseFrom(Iterator first, Matches&& matches) {
    Iterator chosen = first;
    for (auto entry = first; entry != tenants_.end(); ++entry) {
      if (matches(entry->second) && random_.oneIn(3)) chosen = entry;
    }
    return chosen;
  }

  int takeAny(std::vector<int>& numbers) {
    const auto at = numbers.begin() + random_.from(0, static_cast<int>(numbers.size()) - 1);
    const int number = *at;
    numbers.erase(at);
    return number;
  }

  void compare() {
    EXPECT_EQ(queue_.waiting(), waitingCount());
    EXPECT_EQ(queue_.running(), runningCount());
    EXPECT_EQ(queue_.open(), openCount());
    const bool isReady =
        std::ranges::any_of(tenants_, [this](const auto& entry) { return mayRun(entry.second); });
    EXPECT_EQ(queue_.isReady(), isReady);
    for (auto& [key, tenant] : tenants_) {
      if (!mayRun(tenant)) tenant.takenBefore.clear();
      if (!wantsToBegin(tenant)) tenant.begunBefore.clear();
    }
  }

  // As workers end: no job begins any more, those that were begun go on, the others come back.
  void end() {
    if (random_.oneIn(2)) {
      queue_.stop();
      isStopped_ = true;
      add("a");
    }
    for (int turn = 0; (openCount() != 0 || queue_.isReady()) && turn < 10'000; ++turn) {
      ASSERT_FALSE(testing::Test::HasFailure());
      resumeOne();
      if (queue_.isReady() && runningCount() < options_.threads) take();
      leave(random_.oneIn(2));
      compare();
    }
    EXPECT_EQ(openCount(), 0u) << "what was begun does not end";
    if (!isStopped_) {
      EXPECT_EQ(waitingCount(), 0u) << "what waits is not begun";
    }
    std::set<int> left;
    for (const QueuedJob& queued : queue_.takeWaiting()) {
      EXPECT_TRUE(left.insert(std::stoi(queued.job.name)).second);
    }
    EXPECT_EQ(left.size(), waitingCount());
    EXPECT_EQ(begun_, ended_);
    EXPECT_EQ(begun_.size() + left.size(), static_cast<std::size_t>(next_)) << "jobs are lost";
    EXPECT_EQ(queue_.waiting(), 0u);
    EXPECT_FALSE(queue_.isReady());
  }

  static std::size_t openOf(const std::map<std::string, Modelled>& tenants) {
    std::size_t count = 0;
    for (const auto& [key, tenant] : tenants) count += tenant.open();
    return count;
  }
  std::size_t openCount() const { return openOf(tenants_); }
  std::size_t waitingCount() const {
    std::size_t count = 0;
    for (const auto& [key, tenant] : tenants_) count += tenant.waiting.size();
    return count;
  }
  std::size_t runningCount() const {
    std::size_t count = 0;
    for (const auto& [key, tenant] : tenants_) count += tenant.running.size();
    return count;
  }

  bool isFree(const Modelled& tenant) const {
    const unsigned max =
        options_.runningPerKeyMax == 0 ? options_.threads : options_.runningPerKeyMax;
    return tenant.running.size() < max;
  }
  // If openMax lets it.
  bool wantsToBegin(const Modelled& tenant) const {
    const std::size_t max = options_.openPerKeyMax == 0 ? options_.openMax : options_.openPerKeyMax;
    return isFree(tenant) && !isStopped_ && !tenant.waiting.empty() && tenant.open() < max;
  }
  bool mayRunAmong(const Modelled& tenant, std::size_t open) const {
    const bool mayBegin = wantsToBegin(tenant) && open < options_.openMax;
    return isFree(tenant) && (!tenant.ready.empty() || mayBegin);
  }
  bool mayRun(const Modelled& tenant) const { return mayRunAmong(tenant, openCount()); }

  Random random_;
  const WorkersOptions options_;
  WorkQueue queue_{options_};
  std::map<std::string, Modelled> tenants_;
  std::map<std::string, WorkQueue::Tenant*> handles_;
  std::set<int> begun_;
  std::set<int> ended_;
  int next_ = 0;
  bool isStopped_ = false;
};

TEST(WorkQueue, DoesWhatItsModelDoes) {
  const std::uint32_t first = seedOr(1);
  for (std::uint32_t seed = first; seed < first + 300 && !HasFailure(); ++seed) {
    SCOPED_TRACE("SCHEMASCRIPT_SEED=" + std::to_string(seed));
    Compared(seed).run(400);
  }
}

// Threads that take turns with one queue, as those of Workers do.
class Threads {
 public:
  static constexpr int kPosters = 3;
  static constexpr int kJobsOfEach = 200;
  static constexpr unsigned kThreads = 4;
  static constexpr int kStepsMax = 4;

  explicit Threads(std::uint32_t seed) : seed_(seed) {}

  void run() {
    {
      std::vector<std::jthread> threads;
      for (unsigned thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([this] { work(); });
      }
      threads.emplace_back([this] { wakeParked(); });
      for (int poster = 0; poster < kPosters; ++poster) {
        threads.emplace_back([this, poster] { post(poster); });
      }
    }
    EXPECT_EQ(ended_, kPosters * kJobsOfEach);
    EXPECT_EQ(queue_.open() + queue_.waiting() + queue_.running(), 0u);
    for (const auto& [job, steps] : stepsLeft_) EXPECT_EQ(steps, 0) << job.second;
  }

 private:
  using Lock = std::unique_lock<std::mutex>;

  // Each poster's jobs are of one key, and numbered.
  void post(int poster) {
    Random random(seed_ + static_cast<std::uint32_t>(poster));
    for (int number = 0; number < kJobsOfEach;) {
      Job job{.key = std::to_string(poster), .name = std::to_string(number)};
      const Lock lock(mutex_);
      if (!queue_.tryAdd(job)) continue;
      stepsLeft_[{poster, number}] = random.from(1, kStepsMax);
      ++number;
      changed_.notify_all();
    }
  }

  void work() {
    Lock lock(mutex_);
    while (ended_ < kPosters * kJobsOfEach) {
      if (!queue_.isReady()) {
        if (changed_.wait_for(lock, 30s) == std::cv_status::timeout) {
          ADD_FAILURE() << "nothing is ready any more, with " << queue_.waiting() << " that wait";
          ended_ = kPosters * kJobsOfEach;
        }
        continue;
      }
      step(lock, queue_.take());
    }
    changed_.notify_all();
  }

  void step(Lock& lock, WorkQueue::Work work) {
    const int poster = std::stoi(work.tenant->key);
    const int number = work.job ? std::stoi(work.job->job.name) : numberOf(work.call);
    if (work.job) {
      EXPECT_EQ(number, nextOf_[static_cast<std::size_t>(poster)]++) << "the order of " << poster;
    }
    EXPECT_LE(queue_.running(), kThreads);
    EXPECT_LE(queue_.open(), kOptions.openMax);
    EXPECT_LE(work.tenant->open, kOptions.openPerKeyMax);
    EXPECT_LE(work.tenant->running, kOptions.runningPerKeyMax);
    lock.unlock();
    std::this_thread::yield();
    lock.lock();
    int& left = stepsLeft_.at({poster, number});
    if (--left == 0) {
      ++ended_;
      queue_.end(*work.tenant);
    } else {
      ASSERT_GT(left, 0) << number << " of " << poster << " is run twice";
      parked_.emplace_back(work.tenant, number);
      queue_.park(*work.tenant);
    }
    changed_.notify_all();
  }

  void wakeParked() {
    Random random(seed_);
    Lock lock(mutex_);
    while (ended_ < kPosters * kJobsOfEach) {
      if (parked_.empty()) {
        changed_.wait(lock);
        continue;
      }
      const auto one = parked_.begin() + random.from(0, static_cast<int>(parked_.size()) - 1);
      queue_.resume(*one->first, callOf(one->second));
      parked_.erase(one);
      changed_.notify_all();
      lock.unlock();
      std::this_thread::yield();
      lock.lock();
    }
  }

  inline static const WorkersOptions kOptions{.threads = kThreads,
                                              .queueMax = 20,
                                              .runningPerKeyMax = 2,
                                              .openMax = 6,
                                              .openPerKeyMax = 4,
                                              .waitingPerKeyMax = 10};
  const std::uint32_t seed_;
  std::mutex mutex_;
  std::condition_variable changed_;
  WorkQueue queue_{kOptions};
  std::array<int, kPosters> nextOf_{};
  std::map<std::pair<int, int>, int> stepsLeft_;
  std::vector<std::pair<WorkQueue::Tenant*, int>> parked_;
  int ended_ = 0;
};

TEST(WorkQueue, LosesNothingBetweenThreads) { Threads(seedOr(1)).run(); }

// A tenant whose calls go on again and again has its place among those that wait to begin.
TEST(WorkQueue, KeepsThePlaceOfWhoWaitsToBegin) {
  WorkQueue queue({.threads = 2, .openMax = 2});
  const auto add = [&](std::string key, int count) {
    for (int number = 0; number < count; ++number) {
      Job job{.key = key};
      ASSERT_TRUE(queue.tryAdd(job));
    }
  };
  add("a", 2);
  add("b", 10);
  WorkQueue::Tenant& a = *queue.take().tenant;
  WorkQueue::Tenant* b = queue.take().tenant;
  ASSERT_EQ(b->key, "b");
  queue.park(a);
  bool isBegun = false;
  for (int round = 0; round < 3 && !isBegun; ++round) {
    queue.resume(a, callOf(1));
    ASSERT_TRUE(queue.isReady());
    const WorkQueue::Work goesOn = queue.take();
    ASSERT_TRUE(goesOn.call);
    queue.park(a);
    ASSERT_FALSE(queue.isReady());
    queue.end(*b);
    ASSERT_TRUE(queue.isReady());
    const WorkQueue::Work begun = queue.take();
    ASSERT_TRUE(begun.job);
    isBegun = begun.tenant == &a;
  }
  EXPECT_TRUE(isBegun);
}

}  // namespace
}  // namespace schemascript
