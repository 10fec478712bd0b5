#include "sandbox/watchdog.h"

#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>

namespace schemascript {
namespace {

std::chrono::nanoseconds timeOn(clockid_t clock) noexcept {
  timespec now{};
  clock_gettime(clock, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace

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
  clockid_t processorClock{};
  pthread_getcpuclockid(pthread_self(), &processorClock);
  bool isNext = false;
  {
    const std::lock_guard lock(watchdog.mutex_);
    entry_ = watchdog.entries_.insert(watchdog.entries_.end(), {&guest, processorClock, deadline});
    isNext = deadline < watchdog.wakesAt_;
  }
  // Waking the thread costs more than a short call; most deadlines are later than one that was
  // there before.
  if (isNext) watchdog.changed_.notify_one();
}

Watchdog::Watch::~Watch() {
  const std::lock_guard lock(watchdog_.mutex_);
  watchdog_.entries_.erase(entry_);
}

void Watchdog::Watch::stop() noexcept {
  {
    const std::lock_guard lock(watchdog_.mutex_);
    if (entry_->asked) return;
    entry_->guest->isCancelled = true;
    entry_->deadline = ask(*entry_, Clock::now());
    if (entry_->deadline >= watchdog_.wakesAt_) return;
  }
  watchdog_.changed_.notify_one();
}

void Watchdog::run() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    const auto now = Clock::now();
    auto next = Clock::time_point::max();
    for (Entry& entry : entries_) {
      if (entry.deadline <= now) entry.deadline = entry.asked ? force(entry, now) : ask(entry, now);
      next = std::min(next, entry.deadline);
    }
    wakesAt_ = next;
    if (next == Clock::time_point::max()) {
      changed_.wait(lock);
    } else {
      changed_.wait_until(lock, next);
    }
  }
}

Watchdog::Clock::time_point Watchdog::ask(Entry& entry, Clock::time_point now) noexcept {
  Supervised& guest = *entry.guest;
  entry.asked = true;
  entry.processorTimeMax = timeOn(entry.processorClock) + kGrace;
  entry.forcedAt = now + kGraceWallMax;
  guest.askedToStop = true;
  if (guest.stopWord != nullptr) *guest.stopWord = 1;
  if (guest.interruptHost) guest.interruptHost();
  return now + kGrace;
}

Watchdog::Clock::time_point Watchdog::force(const Entry& entry, Clock::time_point now) noexcept {
  Supervised& guest = *entry.guest;
  const auto left = entry.processorTimeMax - timeOn(entry.processorClock);
  if (left.count() > 0 && now < entry.forcedAt) {
    return now + std::max<std::chrono::nanoseconds>(left, std::chrono::milliseconds(1));
  }
  // Whoever is in the host finds out on the way back. Only who was in the guest loses the memory:
  // its reads and writes fault from now on, and WasmEdge's handler turns the fault into a trap.
  if (guest.state.exchange(GuestState::Condemned) == GuestState::InGuest) {
    mprotect(guest.memory, guest.memoryBytesMax, PROT_NONE);
    return Clock::time_point::max();
  }
  // What the host does for it may have missed one interruption, so that is repeated until it
  // returns.
  if (guest.interruptHost) guest.interruptHost();
  return now + kGrace;
}

}  // namespace schemascript
