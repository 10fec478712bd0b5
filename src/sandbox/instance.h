// One guest: an instance of the module with its linear memory, started from the base snapshot, and
// the host functions that it calls. The runtime drives it; docs/protocol.md lists the exports
// behind these members.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/limits.h"
#include "bridge/session.h"
#include "sandbox/engine.h"
#include "sandbox/watchdog.h"

namespace schemascript {

enum class LogStream : std::uint8_t { Output = 1, Error = 2 };

struct InstanceOptions {
  Limits limits;
  // Receives what the guest writes, on the guest's thread; the text is valid during the call. May
  // throw: the guest then stops.
  std::function<void(LogStream, std::string_view)> log;
};

// What poll() found.
struct Progress {
  enum class State : std::uint8_t { Waiting, Finished, Failed, NeverSettles };
  State state;
  std::chrono::duration<double, std::milli> wait{};  // While Waiting: until the next timer.
};

// Belongs to one thread, which GuestThread made. A call that throws ends the instance:
// LimitExceeded when its time or memory ran out, GuestFailed when it trapped, and whatever the
// session or the log threw.
class Instance {
 public:
  // Without a snapshot in `engine`, the guest is an empty one: for making the base snapshot. Keeps
  // references to `engine` and `session`, which must outlive it.
  Instance(const Engine& engine, Session& session, InstanceOptions options);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  // For making the base snapshot.
  void open();
  void addModule(std::string_view name, std::string_view source);
  // False: see failure().
  [[nodiscard]] bool seal();
  // The linear memory as it is. Valid until the guest runs again.
  std::span<const std::byte> memory() const;

  // For running an app. `options`: a JSON object, as docs/protocol.md has it.
  [[nodiscard]] bool start(std::string_view options);
  [[nodiscard]] bool evaluate(std::string_view bundle);
  Progress poll();
  [[nodiscard]] bool push();
  // One of the outputs of the declared tables; emitted() then has it, as JSON.
  [[nodiscard]] bool emit(std::string_view kind);
  std::string emitted();
  // JSON about why one of these failed.
  std::string failure();

  // For the watchdog.
  Supervised& supervised() noexcept;
  // The bytes of linear memory that are in use.
  std::uint64_t memoryBytes() const noexcept;

 private:
  struct Parts;

  // The text that an export names by pointer and length.
  std::string textFrom(std::string_view name);

  std::unique_ptr<Parts> parts_;
};

}  // namespace schemascript
