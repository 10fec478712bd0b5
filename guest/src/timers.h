// The timers of setTimeout and setInterval. The guest cannot wait: the host asks when the next one
// is due, waits outside, and calls again.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "js.h"

namespace schemascript::guest {

enum class Repeat : bool { No, Yes };

class Timers {
 public:
  // Those that wait, each of some 100 bytes outside of the JavaScript heap.
  std::size_t size() const noexcept { return due_.size(); }
  // `delay` in milliseconds, at least 1 as in browsers and Node.
  std::uint32_t add(Value callback, double delay, Repeat repeat);
  // Does nothing when there is no such timer.
  void remove(std::uint32_t id);
  // Nobody waits for this timer any more; it still fires if it becomes due while something else is
  // waited for.
  void unreference(std::uint32_t id);
  bool hasReferenced() const noexcept { return timers_.size() > unreferencedCount_; }
  bool empty() const noexcept { return timers_.empty(); }
  // Milliseconds of the monotonic clock. Must not be empty.
  double nextDue() const noexcept { return timers_.begin()->first.first; }
  // The callback of the first timer that is due at `now`; a repeating one is set again.
  std::optional<Value> takeDue(JSContext* context, double now);

 private:
  struct Timer {
    Value callback;
    double delay;
    Repeat repeat;
    bool isReferenced = true;
  };
  using Key = std::pair<double, std::uint64_t>;  // When it is due; then the order of setting.

  std::map<Key, std::pair<std::uint32_t, Timer>> timers_;
  std::map<std::uint32_t, Key> due_;  // By id.
  std::size_t unreferencedCount_ = 0;
  std::uint32_t lastId_ = 0;
  std::uint64_t lastOrder_ = 0;
};

}  // namespace schemascript::guest
