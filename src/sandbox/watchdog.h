// The hard limit on time. A guest that runs past its deadline is asked to stop; if it does not, its
// memory is made inaccessible, and its next access ends it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

namespace schemascript {

// Where one guest is. Its thread and the watchdog agree on this word alone: memory is taken away
// only from a guest that is in its own code, never while the host reads it.
//
//   InHost --enterGuest--> InGuest --leaveGuest--> InHost        the guest's thread
//   InGuest, InHost --> Condemned                                the watchdog; final
enum class GuestState : std::uint8_t { InHost, InGuest, Condemned };

// What the watchdog may touch of one guest. Made by Instance, which outlives the Watch on it.
struct Supervised {
  std::atomic<GuestState> state{GuestState::InHost};
  std::byte* memory = nullptr;     // The start of linear memory, which does not move,
  std::size_t memoryBytesMax = 0;  // and all that it may ever become.
  std::atomic<bool> askedToStop{false};
  std::atomic<bool> isCancelled{false};  // It was, because somebody called Watch::stop().
  volatile std::uint32_t* stopWord =
      nullptr;                          // In linear memory; the guest's interrupt handler reads it.
  std::function<void()> interruptHost;  // Ends what the host does for the guest; any thread.

  // False when the guest is condemned, and must not run on.
  [[nodiscard]] bool enterGuest() noexcept { return move(GuestState::InHost, GuestState::InGuest); }
  [[nodiscard]] bool leaveGuest() noexcept { return move(GuestState::InGuest, GuestState::InHost); }
  bool isCondemned() const noexcept { return state.load() == GuestState::Condemned; }

 private:
  bool move(GuestState from, GuestState to) noexcept {
    return state.compare_exchange_strong(from, to);
  }
};

// One thread for all guests of a process. Thread-safe.
class Watchdog {
 public:
  using Clock = std::chrono::steady_clock;
  // Between asking and forcing, in processor time of the guest's thread: on a busy machine it may
  // not get to run at once. QuickJS looks at the stop word every 10,000 jumps and calls, which is
  // well below a millisecond; the rest is for describing where the guest was.
  static constexpr std::chrono::milliseconds kGrace{5};
  // The same on the wall's clock, whether the guest got to run or not.
  static constexpr std::chrono::milliseconds kGraceWallMax{250};

  Watchdog();
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  struct Entry {
    Supervised* guest;
    clockid_t processorClock;  // Of the guest's thread.
    Clock::time_point deadline;
    bool asked = false;
    // Once asked: what the thread may use, and until when.
    std::chrono::nanoseconds processorTimeMax{};
    Clock::time_point forcedAt{};
  };

 public:
  // Supervision of one guest, until it leaves its scope. Made and destroyed by the guest's thread.
  class Watch {
   public:
    Watch(Watchdog& watchdog, Supervised& guest, Clock::time_point deadline);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    // As if the deadline had come, at once. From any thread, while this Watch lives. Does nothing
    // when the deadline has come already.
    void stop() noexcept;

   private:
    Watchdog& watchdog_;
    std::list<Entry>::iterator entry_;
  };

 private:
  void run();
  // Each answers when to look at the guest again.
  static Clock::time_point ask(Entry& entry, Clock::time_point now) noexcept;
  static Clock::time_point force(const Entry& entry, Clock::time_point now) noexcept;

  std::mutex mutex_;  // Guards all below. Held while a guest is stopped, so that a Watch's end is
                      // the end of it.
  std::condition_variable changed_;
  std::list<Entry> entries_;
  bool ending_ = false;
  Clock::time_point wakesAt_ = Clock::time_point::max();  // While the thread waits.
  std::thread thread_;
};

}  // namespace schemascript
