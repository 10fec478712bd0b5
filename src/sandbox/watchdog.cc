#include "sandbox/watchdog.h"

#include <sys/mman.h>

#include <algorithm>

namespace schemascript {

Watchdog::Watchdog() : thread_([this] { run(); }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

Watchdog::Watch::Watch(Watchdog& watchdog, Supervised& guest, Clock::time_point deadline)
    : watchdog_(watchdog) {
  {
    const std::lock_guard lock(watchdog.mutex_);
    entry_ = watchdog.entries_.insert(watchdog.entries_.end(), {&guest, deadline, false});
  }
  watchdog.changed_.notify_one();
}

Watchdog::Watch::~Watch() {
  const std::lock_guard lock(watchdog_.mutex_);
  watchdog_.entries_.erase(entry_);
}

void Watchdog::run() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    const auto now = Clock::now();
    auto next = Clock::time_point::max();
    for (Entry& entry : entries_) {
      if (entry.deadline <= now && !entry.asked) {
        entry.asked = true;
        entry.deadline = now + kGrace;
        ask(*entry.guest);
      } else if (entry.deadline <= now) {
        // What the host does for it may have missed one interruption, so that is repeated until it returns.
        entry.deadline = force(*entry.guest) ? Clock::time_point::max() : now + kGrace;
      }
      next = std::min(next, entry.deadline);
    }
    if (next == Clock::time_point::max()) {
      changed_.wait(lock);
    } else {
      changed_.wait_until(lock, next);
    }
  }
}

void Watchdog::ask(Supervised& guest) noexcept {
  guest.askedToStop = true;
  if (guest.stopWord != nullptr) *guest.stopWord = 1;
  if (guest.interruptHost) guest.interruptHost();
}

bool Watchdog::force(Supervised& guest) noexcept {
  // Whoever is in the host finds out on the way back. Only who was in the guest loses the memory: its reads and writes
  // fault from now on, and WasmEdge's handler turns the fault into a trap.
  if (guest.state.exchange(GuestState::Condemned) == GuestState::InGuest) {
    mprotect(guest.memory, guest.memoryBytesMax, PROT_NONE);
    return true;
  }
  if (guest.interruptHost) guest.interruptHost();
  return false;
}

}  // namespace schemascript
