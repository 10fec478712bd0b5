#include "bridge/tracer.h"

#include <string>

#include "base/error.h"
#include "database/database-error.h"

namespace schemascript {

void Tracer::begin(Database& database, const Begun& begun) {
  Kept next;
  next.push_back(
      {.method = begun.method, .sql = std::string(begun.sql), .transaction = begun.transaction});
  if (valuesDisplay_ == BoundValueDisplay::Shown) next.front().values = listValues(begun.values);
  present_ = std::move(next);
  startClock(database);
}

void Tracer::resume(Database& database, Kept& kept) noexcept {
  present_.clear();
  present_.splice(present_.end(), kept);
  startClock(database);
}

void Tracer::startClock(Database& database) noexcept {
  database_ = &database;
  lockWaitBefore_ = database.lockWait();
  missesBefore_ = database.cacheCounters().misses;
  rowsBefore_ = allRows_;
  begin_ = Clock::now();
}

Tracer::Compilation Tracer::readClock() const noexcept {
  return {.took = Clock::now() - begin_,
          .waited = database_->lockWait() - lockWaitBefore_,
          .compiled = database_->cacheCounters().misses != missesBefore_};
}

void Tracer::add(const Compilation& part) noexcept {
  present().took += part.took;
  present().waited += part.waited;
  present().compiled |= part.compiled;
}

void Tracer::stopClock() noexcept {
  add(readClock());
  present().rows += allRows_ - rowsBefore_;
}

void Tracer::keepForLater(Kept& kept) noexcept {
  if (!isTracing()) return;
  stopClock();
  kept.splice(kept.end(), present_);
}

// The message of a statement's own failure repeats the values.
void Tracer::fail(std::string_view message) {
  if (!isTracing()) return;
  present().changes = 0;
  present().hasRows = false;
  if (const std::string& values = present().values; !values.empty()) {
    const std::string shown = "; values: " + values;
    if (message.ends_with(shown)) message.remove_suffix(shown.size());
  }
  present().error = message;
  finish();
}

void Tracer::finish() noexcept {
  if (!isTracing()) return;
  stopClock();
  ended_.splice(ended_.end(), present_);
  if (ended_.size() >= kEndedMax) tell();
}

void Tracer::tell() noexcept {
  while (!ended_.empty()) {
    Kept next;
    next.splice(next.end(), ended_, ended_.begin());
    if (!isOn()) continue;
    try {
      sink_(next.front());
    } catch (...) {
      failure_ = std::current_exception();
      sink_ = nullptr;
    }
  }
}

}  // namespace schemascript
