#include "http/watch.h"

#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

namespace schemascript {
namespace {

// Of what came together, one thread handles so many before it begins with the first request. All, as
// a rule: who cannot be served has to hear of it, and what waits in a socket is in no queue.
constexpr int kTogetherMax = 256;
// How long nobody may watch: what waits for it are answers to come, timeouts and refusals.
constexpr std::chrono::milliseconds kFreeTimeMax{2};
// After so many looks at a watch that nobody has left meanwhile, the stand-in sleeps.
constexpr int kQuietLooks = 100;

// What a handler throws (there was no memory, say) is the end of that event, not of the server.
template <typename Work>
std::size_t guarded(Work&& work) noexcept {
  try {
    return work();
  } catch (...) {
    return 1;
  }
}

}  // namespace

HttpWatch::HttpWatch(HttpReactor& reactor, std::function<void()> onFree)
    : reactor_(reactor), onFree_(std::move(onFree)) {}

bool HttpWatch::tryTake() noexcept {
  if (hasEnded() || isTaken_.exchange(true)) return false;
  isInterrupted_ = false;
  return true;
}

std::size_t HttpWatch::runOne(HttpClock::time_point until) noexcept {
  auto& context = reactor_.context();
  return guarded([&] {
    return until == HttpClock::time_point::max() ? context.run_one() : context.run_one_until(until);
  });
}

void HttpWatch::pollAll() noexcept {
  const auto pollOne = [this] { return reactor_.context().poll_one(); };
  for (int count = 1; count < kTogetherMax && guarded(pollOne) > 0; ++count) {
  }
}

void HttpWatch::watch(HttpClock::time_point until) noexcept {
  watcher_ = std::this_thread::get_id();
  while (!isInterrupted_ && runOne(until) > 0) {
  }
  if (isInterrupted_) pollAll();
  watcher_ = std::thread::id();
  give();
}

void HttpWatch::interrupt() noexcept {
  if (isInterrupted_.exchange(true) || watcher_ == std::this_thread::get_id()) return;
  guarded([this] {
    boost::asio::post(reactor_.context(), [] {});
    return 0;
  });
}

void HttpWatch::give() noexcept {
  isTaken_ = false;
  ++given_;
  if (!isAsleep_) return;
  const std::lock_guard lock(mutex_);
  givenBack_.notify_one();
}

void HttpWatch::sleepUntilGiven(std::uint64_t seen) noexcept {
  isAsleep_ = true;
  std::unique_lock lock(mutex_);
  givenBack_.wait(lock, [&] { return given_ != seen || !isTaken_ || hasEnded(); });
  isAsleep_ = false;
}

void HttpWatch::standIn() noexcept {
  int quietLooks = 0;
  while (!hasEnded()) {
    const std::uint64_t seen = given_;
    if (quietLooks == kQuietLooks) {
      sleepUntilGiven(seen);
      quietLooks = 0;
    }
    std::this_thread::sleep_for(kFreeTimeMax);
    const bool isLeft = given_ != seen;
    quietLooks = isLeft ? 0 : quietLooks + 1;
    if (isLeft || isTaken_ || !tryTake()) continue;
    quietLooks = 0;
    runOne(HttpClock::time_point::max());
    pollAll();
    give();
    onFree_();
  }
}

}  // namespace schemascript
