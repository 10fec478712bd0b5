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
  ByKey::iterator place{};  // While nobody uses it.
  // With Isolation::Worker. Weak, so that an isolate does not keep a database open.
  std::weak_ptr<ConnectionPool> database{};
  std::unique_ptr<Isolate> isolate{};
  std::uint64_t bytes = 0;
  Clock::time_point usedAt{};
  bool isToPrepare = false;  // There is something to do that prepareAhead() may try.
};

IsolatePool::Loan::Loan() noexcept = default;
IsolatePool::Loan::Loan(Loan&&) noexcept = default;
IsolatePool::Loan& IsolatePool::Loan::operator=(Loan&&) noexcept = default;
IsolatePool::Loan::~Loan() = default;

Isolate& IsolatePool::Loan::operator*() const noexcept { return *entry_.front().isolate; }

IsolatePool::IsolatePool(Watchdog& watchdog, IsolatePoolOptions options)
    : watchdog_(watchdog), options_(options), firstResting_(entries_.end()) {}

IsolatePool::~IsolatePool() = default;

CallReport IsolatePool::call(const std::shared_ptr<const App>& app,
                             const std::shared_ptr<ConnectionPool>& database, Isolation isolation,
                             const CallRequest& request) {
  Loan loan = lend(app, database, isolation);
  CallReport report;
  try {
    report = loan->call(*database, request);
  } catch (...) {
    giveUp(std::move(loan));
    throw;
  }
  takeBack(std::move(loan), report.end);
  return report;
}

IsolatePool::Loan IsolatePool::lend(const std::shared_ptr<const App>& app,
                                    const std::shared_ptr<ConnectionPool>& database,
                                    Isolation isolation) {
  const bool keepsState = isolation == Isolation::Worker;
  const Key key{app.get(), keepsState ? database.get() : nullptr};
  Loan loan;
  if (!tryTake(key, database, loan)) {
    Entry& entry = loan.entry_.emplace_back(Entry{.key = key});
    if (keepsState) entry.database = database;
    entry.isolate = std::make_unique<Isolate>(
        app, watchdog_, IsolateOptions{.isolation = isolation, .resetCheck = options_.resetCheck});
    loan.place_ = newPlace(key);
  }
  if (loan->needsRefresh()) {
    try {
      refresh(loan.entry_.front());
    } catch (...) {
      ++counters_.discarded;
      throw;
    }
  }
  return loan;
}

// A place for an isolate that has none yet.
IsolatePool::ByKey::node_type IsolatePool::newPlace(const Key& key) {
  ByKey one;
  return one.extract(one.emplace(key, Entries::iterator{}));
}

bool IsolatePool::tryTake(const Key& key, const std::shared_ptr<ConnectionPool>& database,
                          Loan& loan) {
  for (;;) {
    const auto [first, end] = byKey_.equal_range(key);
    if (first == end) return false;
    const Entries::iterator entry = std::prev(end)->second;
    // Another database may have got the address of one that was closed.
    if (key.second != nullptr && !isSame(entry->database, database)) {
      discard(entry);
      continue;
    }
    wake(entry);
    mark(*entry, false);
    counters_.bytes -= entry->bytes;
    --counters_.isolates;
    loan.place_ = byKey_.extract(entry->place);
    loan.entry_.splice(loan.entry_.begin(), entries_, entry);
    return true;
  }
}

void IsolatePool::takeBack(Loan loan, CallEnd end) noexcept {
  entries_.splice(entries_.begin(), loan.entry_);
  const Entries::iterator entry = entries_.begin();
  loan.place_.mapped() = entry;
  entry->place = byKey_.insert(std::move(loan.place_));
  entry->usedAt = Clock::now();
  counters_.bytes += entry->bytes;
  ++counters_.isolates;
  settle(*entry);
  if (!mayGoOn(end) || entry->bytes > options_.isolateBytesMax) giveUp(*entry);
  mark(*entry, entry->isolate->needsRefresh());
  makeRoom();
}

void IsolatePool::giveUp(Loan loan) noexcept {
  loan.entry_.clear();
  ++counters_.discarded;
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
  byKey_.erase(entry->place);
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
