// The isolates of one worker thread: found again for the next call, put back while there is nothing
// to do, and given up when they take too much memory, misbehaved, or are not used any more.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <utility>

#include "runtime/app.h"

namespace schemascript {

struct IsolatePoolOptions {
  // What all isolates may take together that are not in use, as Isolate::residentBytes() counts.
  // The one that was used last is kept whatever it takes.
  std::uint64_t bytesMax = 256ull << 20;
  // An isolate that takes more after a call is given up. A call of a usual app leaves some hundred
  // kilobytes; one that sorted a large answer leaves megabytes, which nobody needs afterwards.
  std::uint64_t isolateBytesMax = 8ull << 20;
  // An isolate that was not used for as long goes to rest (Isolate::rest()): it takes 0.3 MB then,
  // instead of 0.5 MB of its own and 2 MB that it shares with others.
  std::chrono::milliseconds restAfter{2'000};
  // An isolate that was not used for as long is given up.
  std::chrono::milliseconds idleTimeMax{60'000};
  ResetCheck resetCheck = ResetCheck::No;
};

// Belongs to one thread, which GuestThread made; that thread destroys it, too. What it lends may be
// given to the pool of another thread.
class IsolatePool {
  struct Entry;
  using Entries = std::list<Entry>;
  // The database is null for Isolation::Request.
  using Key = std::pair<const App*, const ConnectionPool*>;
  using ByKey = std::multimap<Key, Entries::iterator>;

 public:
  using Clock = std::chrono::steady_clock;

  struct Counters {
    std::uint64_t made = 0;
    std::uint64_t reset = 0;      // Put back to the snapshot, ahead of a call or by it.
    std::uint64_t discarded = 0;  // For whatever reason.
    std::size_t isolates = 0;     // Now, without those that are lent.
    std::uint64_t bytes = 0;      // Now, of all of these.
  };

  // Keeps a reference to `watchdog`, which must outlive it.
  IsolatePool(Watchdog& watchdog, IsolatePoolOptions options);
  ~IsolatePool();
  IsolatePool(const IsolatePool&) = delete;
  IsolatePool& operator=(const IsolatePool&) = delete;

  // An isolate that is in use: nobody else has it. Movable; one that is destroyed is given up.
  class Loan {
   public:
    Loan() noexcept;
    Loan(Loan&&) noexcept;
    Loan& operator=(Loan&&) noexcept;
    ~Loan();

    Isolate& operator*() const noexcept;
    Isolate* operator->() const noexcept { return &**this; }

   private:
    friend class IsolatePool;

    Entries entry_;           // One, unless it was moved from.
    ByKey::node_type place_;  // Kept for its memory.
  };

  // One of those that nobody uses, the warmest first, or a new one, ready for a call: with
  // Isolation::Request any of the app, with Isolation::Worker one of this app and this database,
  // with what its last call left. Throws Unavailable when no guest can be made.
  Loan lend(const std::shared_ptr<const App>& app, const std::shared_ptr<ConnectionPool>& database,
            Isolation isolation);
  // After a call that ended so.
  void takeBack(Loan loan, CallEnd end) noexcept;
  // Instead, when the call threw.
  void giveUp(Loan loan) noexcept;

  // Calls a function of `app` in an isolate that it lends to itself. Throws as
  // Isolate::call(); the isolate is given up then, as it is when the call was stopped, ran out of
  // memory or trapped.
  CallReport call(const std::shared_ptr<const App>& app,
                  const std::shared_ptr<ConnectionPool>& database, Isolation isolation,
                  const CallRequest& request);

  // Does a piece of what the next calls would have to do first: puts one isolate back that was
  // used, makes one anew where the last was given up, lets one rest, or gives one up that nobody
  // used for idleTimeMax. False when there is nothing left to do. Never throws: what fails now
  // fails again, and is reported, when it is needed.
  [[nodiscard]] bool prepareAhead() noexcept;

  // When prepareAhead() will have something to do if there is no call before; time_point::max()
  // when never.
  Clock::time_point nextWork() const noexcept;

  const Counters& counters() const noexcept { return counters_; }

 private:
  bool tryTake(const Key& key, const std::shared_ptr<ConnectionPool>& database, Loan& loan);
  static ByKey::node_type newPlace(const Key& key);
  void refresh(Entry& entry);
  void settle(Entry& entry) noexcept;
  void giveUp(Entry& entry) noexcept;
  void mark(Entry& entry, bool isToPrepare) noexcept;
  void wake(Entries::iterator entry) noexcept;
  void discard(Entries::iterator entry) noexcept;
  Clock::time_point nextRest() const noexcept;
  Clock::time_point nextExpiry() const noexcept;
  void makeRoom() noexcept;

  Watchdog& watchdog_;
  const IsolatePoolOptions options_;
  Entries entries_;                 // The one that was used last at the front.
  Entries::iterator firstResting_;  // This one and all behind it rest.
  ByKey byKey_;                     // Of the same key, the one that was used last at the end.
  std::size_t toPrepare_ = 0;
  Counters counters_;
};

}  // namespace schemascript
