// What is behind the handles of the public API.
#pragma once

#include <filesystem>
#include <memory>
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

#include "api/layers.h"

namespace schemascript {
inline namespace v0 {

struct Error::Parts {
  ErrorCode code = ErrorCode::Internal;
  std::string message;
  std::optional<GuestError> guest;
  Cost cost;
  std::vector<LogEntry> log;
};

// The engine of the process, and the thread that holds its guests to their time.
struct Machine {
  explicit Machine(std::filesystem::path guestFolder)
      : folder(std::move(guestFolder)), engine(EngineFiles::in(folder.string())) {}

  const std::filesystem::path folder;
  const Engine engine;
  Watchdog watchdog;
};

// The one that is there, or a new one. Owned by all runtimes and apps together. Throws the layers'
// errors.
std::shared_ptr<Machine> shareMachine(const std::filesystem::path& guestFolder);

// Where the guest's files are: see RuntimeOptions. Throws Unavailable saying where they are not.
std::filesystem::path findGuestFolder(const std::filesystem::path& wanted);

// Owned by its Runtime and by the apps that it has loaded. Only the Runtime ends its threads, so
// that none of them ever has to wait for itself.
struct __attribute__((visibility("hidden"))) Runtime::Core {
  explicit Core(const RuntimeOptions& options);

  // Throws Unavailable when the queue is full or the runtime has ended.
  void post(Job job);
  // Waits for all calls. Later ones are refused.
  void close();

  const std::shared_ptr<Machine> machine;
  const std::filesystem::path cacheFolder;
  const std::size_t queueMax;

 private:
  std::shared_mutex mutex_;  // Guards the pointer, not what it points to.
  std::unique_ptr<Workers> workers_;
};

struct Database::Parts {
  std::string name;
  std::shared_ptr<ConnectionPool> pool;  // Owned together with the jobs that use it.
};

struct App::Parts {
  std::shared_ptr<Runtime::Core> core;
  std::shared_ptr<const layers::App> app;  // Refers to the engine of `core`.
  std::string bundle;
  AppOptions options;
  bool fromCache = false;
};

// True on a thread that runs a call, its log or its callback.
bool isOnWorker() noexcept;

// While it lives, this thread is such a one.
class OnWorker {
 public:
  OnWorker() noexcept;
  ~OnWorker();
  OnWorker(const OnWorker&) = delete;
  OnWorker& operator=(const OnWorker&) = delete;

 private:
  const bool before_;
};

// Ours for one of the layers'.
Error publicError(const layers::Error& error);
Error publicError(ErrorCode code, std::string message);
// For what did not end well. `subject` begins the message: the function's name.
Error publicError(std::string_view subject, CallEnd end, const ErrorDescription& error,
                  const Limits& limits, const Cost& cost, std::vector<LogEntry> log);

// Runs `action`; whatever the layers throw is thrown as ours.
template <typename Action>
decltype(auto) translated(Action&& action) {
  try {
    return action();
  } catch (const layers::Error& error) {
    throw publicError(error);
  } catch (const std::filesystem::filesystem_error& error) {
    throw publicError(ErrorCode::Unavailable, error.what());
  }
}

// Calls a log of the embedder's; what it throws becomes Internal of the layers.
void callLog(const LogSink& log, layers::LogStream stream, std::string_view text);

inline LogStream publicStream(layers::LogStream stream) noexcept {
  return stream == layers::LogStream::Output ? LogStream::Output : LogStream::Error;
}

inline layers::Isolation layerIsolation(Isolation isolation) noexcept {
  return isolation == Isolation::Worker ? layers::Isolation::Worker : layers::Isolation::Request;
}

}  // namespace v0
}  // namespace schemascript
