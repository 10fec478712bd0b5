// What every guest of a process shares: the compiled guest, its base snapshot, and WasmEdge made
// safe for threads.
#pragma once

#include <pthread.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "sandbox/snapshot.h"

namespace schemascript {

// What the build leaves for the sandbox, in one folder.
struct EngineFiles {
  std::string guest;     // The guest, compiled ahead of time.
  std::string park;      // The module that parks a thread, compiled ahead of time.
  std::string snapshot;  // Empty while the base snapshot is being made.

  // guest.so, park.so and base.snapshot in `folder`.
  static EngineFiles in(const std::string& folder);
};

// One for each process: it installs signal handlers. Safe to be used from many threads once it is
// made. It outlives every Instance that was made with it.
//
// WasmEdge turns a fault of compiled code into a trap with handlers for SIGSEGV, SIGBUS and SIGFPE,
// which it installs when the first call into compiled code begins and removes when the last one
// ends; with several threads this removal races with their faults. The engine therefore keeps one
// thread inside such a call for as long as it lives, and registers the handlers again to run on a
// stack of their own, without which an overflow of the native stack would kill the process.
class Engine {
 public:
  // Throws Unavailable, naming the file, when one is missing, was not built by this version, or is
  // damaged.
  explicit Engine(const EngineFiles& files);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Names this build of the guest, WasmEdge's version and the processor's architecture; the base
  // snapshot carries it. Valid as long as the engine.
  const std::string& identity() const noexcept;

  // Null without a snapshot.
  const Snapshot* snapshot() const noexcept { return snapshot_.get(); }

  struct Compiled;
  // For Instance.
  const Compiled& compiled() const noexcept { return *compiled_; }

 private:
  class Parking;

  std::unique_ptr<Compiled> compiled_;
  std::unique_ptr<Snapshot> snapshot_;
  std::unique_ptr<Parking> parking_;
};

// A thread with a native stack that is large enough for QuickJS's limit to be met first, and with a
// stack for signal handlers. Guests run on such threads only.
class GuestThread {
 public:
  // Begins `work`, which must not throw. Throws Unavailable when there is no thread to be had.
  explicit GuestThread(std::function<void()> work);
  // Waits for its end.
  ~GuestThread();
  GuestThread(const GuestThread&) = delete;
  GuestThread& operator=(const GuestThread&) = delete;

  // Runs `work` on such a thread, waits for its end and rethrows what it threw. `work` may capture
  // by reference.
  template <typename Work>
  static void run(Work&& work) {
    runErased([](void* erased) { (*static_cast<std::remove_reference_t<Work>*>(erased))(); },
              &work);
  }

 private:
  static void runErased(void (*call)(void*), void* work);

  const std::function<void()> work_;
  pthread_t thread_{};
};

}  // namespace schemascript
