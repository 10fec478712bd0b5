// SIGINT and SIGTERM as a request to stop, for work that ends in order.
#pragma once

#include <csignal>
#include <stop_token>
#include <thread>

#include "base/file.h"

namespace schemascript {

// While it lives, the first of the two signals asks for the stop, and a second one ends the process
// at once; but not within half a second, because `npm run` and `timeout` send each signal twice.
// Made by the thread that has made no other yet, or whose others have both signals blocked. Where
// they were blocked before, the signal is sent anew at the end, for whoever waits for it.
class StopOnSignal {
 public:
  // Throws Unavailable.
  StopOnSignal();
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;

  std::stop_token token() const noexcept { return source_.get_token(); }

 private:
  void wait();
  bool hasEnded(int millisecondsMax) const noexcept;

  sigset_t signals_{};
  sigset_t before_{};
  FileDescriptor arrived_;
  FileDescriptor ended_;
  std::stop_source source_;
  int signal_ = 0;  // Belongs to the thread until it is joined.
  std::thread thread_;
};

}  // namespace schemascript
