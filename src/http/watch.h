// Who waits for the events of a reactor. Threads that serve requests do so while they have nothing
// else to do: the one that notices a request is the one that answers it, and nobody has to be
// woken. A thread of the server's own stands in while all of them are busy.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "http/connection.h"

namespace schemascript {

// Thread-safe.
class HttpWatch {
 public:
  // Keeps a reference to `reactor`. `onFree` is called by the thread that stood in, when it has
  // left the watch to whoever sleeps now.
  HttpWatch(HttpReactor& reactor, std::function<void()> onFree);

  // Takes the watch, to be carried out by watch() on the same thread. False when somebody has it,
  // or the reactor has ended.
  [[nodiscard]] bool tryTake() noexcept;
  // Handles events until interrupt() or `until`, and then those that are there already: what one
  // thread cannot do at once is for others. Gives the watch back.
  void watch(HttpClock::time_point until) noexcept;
  // Ends the watch that somebody has. Also from within what the watch handles.
  void interrupt() noexcept;

  // Until the reactor has ended.
  void standIn() noexcept;

 private:
  bool hasEnded() const noexcept { return reactor_.context().stopped(); }
  std::size_t runOne(HttpClock::time_point until) noexcept;
  void pollAll() noexcept;
  void give() noexcept;
  void sleepUntilGiven(std::uint64_t seen) noexcept;

  HttpReactor& reactor_;
  const std::function<void()> onFree_;
  std::atomic<bool> isTaken_{false};
  std::atomic<bool> isInterrupted_{false};
  std::atomic<std::thread::id> watcher_{};
  std::atomic<std::uint64_t> given_{0};  // How often the watch was given back.
  std::atomic<bool> isAsleep_{false};    // The stand-in: for longer.
  std::mutex mutex_;
  std::condition_variable givenBack_;
};

}  // namespace schemascript
