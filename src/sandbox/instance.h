// One guest: an instance of the module with its linear memory, started from a snapshot, and the
// host functions that it calls. The runtime drives it; docs/protocol.md lists the exports behind
// these members.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/limits.h"
#include "bridge/session.h"
#include "sandbox/engine.h"
#include "sandbox/watchdog.h"

namespace schemascript {

enum class LogStream : std::uint8_t { Output = 1, Error = 2 };

// While a snapshot is made there is no time and no randomness: whatever the guest kept of them
// would be the same wherever the snapshot is used. The clock stands at 0, and random bytes are 0.
// The same sources then give the same snapshot.
enum class World : std::uint8_t { Real, Frozen };

// What passes into a call and out of it. The numbers are those of docs/protocol.md.
enum class Payload : std::uint8_t { Json, Bytes };

// Whether reset() compares all of the memory with the snapshot. For tests: it takes milliseconds.
enum class ResetCheck : bool { No, Yes };

struct InstanceOptions {
  Limits limits;
  // Receives what the guest writes, on the guest's thread; the text is valid during the call. May
  // throw: the guest then stops.
  std::function<void(LogStream, std::string_view)> log;
  World world = World::Real;
  ResetCheck resetCheck = ResetCheck::No;
};

// What poll() found.
struct Progress {
  enum class State : std::uint8_t { Waiting, Finished, Failed, NeverSettles, WantsBody };
  State state;
  std::chrono::duration<double, std::milli> wait{};  // While Waiting: until the next timer.
};

// What a guest has used since its call began, or the evaluation of its bundle.
struct Usage {
  std::uint64_t fuel = 0;  // Never more than fuelMax. Exact, unless its memory was taken away.
  std::uint64_t heapPeakBytes = 0;  // The most that QuickJS's heap held.
  std::uint64_t logBytes = 0;       // What it wrote, with what was dropped of it.
  bool logTruncated = false;        // Something was: more than logBytesMax.
};

// One thread at a time may use it, which GuestThread made. A call that throws ends the instance:
// LimitExceeded when its time or memory ran out, GuestFailed when it trapped, and whatever the
// session or the log threw.
class Instance {
 public:
  // Starts from `from`; null: an empty guest, for making the base snapshot. Keeps references to
  // `engine` and to what `from` names, which must outlive it. Throws InvalidRequest when
  // memoryBytesMax is less than `from` takes, and Unavailable.
  Instance(const Engine& engine, const Snapshot* from, InstanceOptions options);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  // From now on the guest's queries go to `session`, until there is another one or null. Not while
  // a Watch is on this guest.
  void attach(Session* session) noexcept;

  // The guest's monotonic clock begins with now; before, with the making of the instance.
  void restartClock() noexcept;

  // What holds from the next start(), evaluate(), load() or call() on; `options.limits` until then.
  // memoryBytesMax stays what it was, and a heap limit beyond it is none. Begins to count what the
  // guest writes.
  void setLimits(const Limits& limits) noexcept;
  // Whatever became of the guest. Not while a Watch is on it.
  Usage usage() noexcept;

  // For making the base snapshot.
  void open();
  void addModule(std::string_view name, std::string_view source);
  // False: see failure().
  [[nodiscard]] bool seal();

  // For making an app's snapshot: evaluates its bundle, without database, clock, randomness and
  // timers. After start().
  [[nodiscard]] bool load(std::string_view bundle);
  // Before a snapshot: lets what calls allocate lie side by side, on few pages.
  void settle();
  // Gives the guest all the memory that it may ever have, so that it never grows again: a memory
  // that grew cannot be reset. It costs addresses, and memory only where it is written.
  void reserveMemory();
  // The guest as it is. `inputs`, 32 characters, names what it was made from. Throws Unavailable.
  Snapshot snapshot(std::string_view inputs) const;

  // Calls the function that the app exports as `name` with `argument`: JSON, empty for no argument,
  // or the bytes of a Uint8Array. poll() sees to its end; result() is then its answer, of
  // resultKind(): JSON, empty for undefined, or the bytes of a Uint8Array or an ArrayBuffer.
  [[nodiscard]] bool call(std::string_view name, std::string_view argument,
                          Payload kind = Payload::Json);
  std::string result();
  Payload resultKind();

  // For an app behind a server, as docs/protocol.md has it. The object that its handlers get as
  // `env`, from JSON.
  [[nodiscard]] bool setEnvironment(std::string_view json);
  // Each begins a call, as call() does; response() is its answer. fetch() calls the handler for a
  // request, scheduled() that for an event, next() has what follows the answer before it.
  [[nodiscard]] bool fetch(std::string_view message);
  [[nodiscard]] bool scheduled(std::string_view json);
  [[nodiscard]] bool next();
  std::string response();
  // Whether the handler waits for a piece of the request's body.
  bool wantsBody();
  // Gives it that piece.
  enum class BodyState : std::uint8_t { Continues, Last, ClientGone };
  [[nodiscard]] bool receive(std::string_view bytes, BodyState state);

  // Puts everything back to what it was when this instance was made, at little cost: it copies the
  // pages that the guest has written, and forgets after some resets what a single long call wrote.
  // Not while a Watch is on this guest. False when that cannot be done, and the instance has to be
  // given up: a call threw, or the memory has grown.
  [[nodiscard]] bool reset();

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
  // The bytes of linear memory that the guest may use without growing it.
  std::uint64_t memoryBytes() const noexcept;
  // The bytes of linear memory that this guest has for itself, because it wrote them; all others
  // are shared with its snapshot. 40 us, or 0.3 us when the thread had no page fault since the last
  // reset or count.
  std::uint64_t privateBytes();
  // Gives back what the next call can have again: this process's view of the pages that are shared
  // with the snapshot. What the guest wrote stays. The next call takes some 50 us more. Between
  // calls.
  void dropSharedPages();
  // Like reset(), but gives back the pages that the guest wrote, too, instead of copying them; the
  // next call takes some 150 us more.
  [[nodiscard]] bool resetAndDrop();

 private:
  struct Parts;

  std::unique_ptr<Parts> parts_;
};

}  // namespace schemascript
