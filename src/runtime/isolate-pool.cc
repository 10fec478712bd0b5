#include "runtime/isolate-pool.h"

#include <algorithm>
#include <iterator>

namespace schemascript {
namespace {

bool isSame(const std::weak_ptr<ConnectionPool>& one, const std::weak_ptr<ConnectionPool>& other) {
  return !one.owner_before(other) && !other.owner_before(one);
}

}  // namespace

struct IsolatePool::Entry {
  Key key{};
  // With Isolation::Worker. Weak, so that an isolate does not keep a database open.
  std::weak_ptr<ConnectionPool> database{};
  std::unique_ptr<Isolate> isolate{};
  std::uint64_t bytes = 0;
  Clock::time_point usedAt{};
  bool isToPrepare = false;  // There is something to do that prepareAhead() may try.
};

IsolatePool::IsolatePool(Watchdog& watchdog, IsolatePoolOptions options)
    : watchdog_(watchdog), options_(options), firstResting_(entries_.end()) {}

IsolatePool::~IsolatePool() = default;

CallReport IsolatePool::call(const std::shared_ptr<const App>& app,
                             const std::shared_ptr<ConnectionPool>& database, Isolation isolation,
                             const CallRequest& request) {
  Entry& entry = take(app, database, isolation);
  CallReport report;
  try {
    if (entry.isolate->needsRefresh()) refresh(entry);
    report = entry.isolate->call(*database, request);
  } catch (...) {
    discard(entries_.begin());
    throw;
  }
  entry.usedAt = Clock::now();
  settle(entry);
  if (!mayGoOn(report.end) || entry.bytes > options_.isolateBytesMax) giveUp(entry);
  mark(entry, entry.isolate->needsRefresh());
  makeRoom();
  return report;
}

// The entry is the first of all afterwards.
IsolatePool::Entry& IsolatePool::take(const std::shared_ptr<const App>& app,
                                      const std::shared_ptr<ConnectionPool>& database,
                                      Isolation isolation) {
  const bool keepsState = isolation == Isolation::Worker;
  const Key key{app.get(), keepsState ? database.get() : nullptr};
  const auto found = byKey_.find(key);
  if (found != byKey_.end()) {
    const Entries::iterator entry = found->second;
    // Another database may have got the address of one that was closed.
    if (!keepsState || isSame(entry->database, database)) {
      wake(entry);
      entries_.splice(entries_.begin(), entries_, entry);
      entry->usedAt = Clock::now();
      return *entry;
    }
    discard(entry);
  }
  entries_.push_front({.key = key, .usedAt = Clock::now()});
  Entry& entry = entries_.front();
  try {
    if (keepsState) entry.database = database;
    entry.isolate = std::make_unique<Isolate>(
        app, watchdog_, IsolateOptions{.isolation = isolation, .resetCheck = options_.resetCheck});
    byKey_.emplace(key, entries_.begin());
  } catch (...) {
    entries_.pop_front();
    throw;
  }
  ++counters_.isolates;
  return entry;
}

void IsolatePool::refresh(Entry& entry) {
  const bool wasMade = entry.isolate->isMade();
  entry.isolate->refresh();
  ++(wasMade ? counters_.reset : counters_.made);
}

// Counts what the isolate takes.
void IsolatePool::settle(Entry& entry) noexcept {
  const std::uint64_t bytes = entry.isolate ? entry.isolate->residentBytes() : 0;
  counters_.bytes += bytes - entry.bytes;
  entry.bytes = bytes;
}

// The guest goes, its place remains: whoever used it will want another one.
void IsolatePool::giveUp(Entry& entry) noexcept {
  entry.isolate->discard();
  settle(entry);
  ++counters_.discarded;
}

void IsolatePool::wake(Entries::iterator entry) noexcept {
  if (entry == firstResting_) ++firstResting_;
}

void IsolatePool::discard(Entries::iterator entry) noexcept {
  wake(entry);
  mark(*entry, false);
  counters_.bytes -= entry->bytes;
  --counters_.isolates;
  ++counters_.discarded;
  byKey_.erase(entry->key);
  entries_.erase(entry);
}

void IsolatePool::makeRoom() noexcept {
  while (counters_.bytes > options_.bytesMax && entries_.size() > 1) {
    discard(std::prev(entries_.end()));
  }
}

bool IsolatePool::prepareAhead() noexcept {
  const auto now = Clock::now();
  if (nextExpiry() <= now) {
    discard(std::prev(entries_.end()));
    return true;
  }
  if (nextRest() <= now) {
    --firstResting_;
    mark(*firstResting_, false);
    firstResting_->isolate->rest();
    settle(*firstResting_);
    return true;
  }
  if (toPrepare_ == 0) return false;
  Entry& entry = *std::ranges::find_if(entries_, &Entry::isToPrepare);
  mark(entry, false);  // If it fails, the next call says why.
  try {
    refresh(entry);
  } catch (...) {
    return true;
  }
  settle(entry);
  makeRoom();
  return true;
}

void IsolatePool::mark(Entry& entry, bool isToPrepare) noexcept {
  toPrepare_ += isToPrepare ? 1 : 0;
  toPrepare_ -= entry.isToPrepare ? 1 : 0;
  entry.isToPrepare = isToPrepare;
}

IsolatePool::Clock::time_point IsolatePool::nextWork() const noexcept {
  return std::min(nextRest(), nextExpiry());
}

IsolatePool::Clock::time_point IsolatePool::nextRest() const noexcept {
  return firstResting_ == entries_.begin() ? Clock::time_point::max()
                                           : std::prev(firstResting_)->usedAt + options_.restAfter;
}

IsolatePool::Clock::time_point IsolatePool::nextExpiry() const noexcept {
  return entries_.empty() ? Clock::time_point::max()
                          : entries_.back().usedAt + options_.idleTimeMax;
}

}  // namespace schemascript
