// How a function that runs inside of one instruction of SQLite's notices that its time is over.
#pragma once

#include <cstddef>

#include "database/database.h"

namespace schemascript {

// Counts steps, and throws LimitExceeded once the database must stop.
class Work {
 public:
  // Steps, of a nanosecond or some, between two looks at the stop flag and the clock.
  static constexpr std::size_t kStepsBetweenLooks = 1u << 20;

  explicit Work(const Database& database) noexcept : database_(database) {}

  void add(std::size_t steps) {
    steps_ += steps;
    if (steps_ < kStepsBetweenLooks) return;
    steps_ = 0;
    if (database_.mustStopNow()) database_.throwIfInterrupted();
  }

 private:
  const Database& database_;
  std::size_t steps_ = 0;
};

}  // namespace schemascript
