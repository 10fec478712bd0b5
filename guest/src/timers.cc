#include "timers.h"

#include <algorithm>
#include <cmath>

#include "host.h"

namespace schemascript::guest {
namespace {
constexpr double kDelayMax = 2'147'483'647;  // As in browsers and Node: above it, 1.
}

std::uint32_t Timers::add(Value callback, double delay, Repeat repeat) {
  if (!(delay >= 1 && delay <= kDelayMax)) delay = 1;
  delay = std::trunc(delay);
  const Key key{hostClock(Clock::Monotonic) + delay, ++lastOrder_};
  const std::uint32_t id = ++lastId_;
  timers_.emplace(key, std::pair(id, Timer{std::move(callback), delay, repeat}));
  due_.emplace(id, key);
  return id;
}

void Timers::remove(std::uint32_t id) {
  const auto found = due_.find(id);
  if (found == due_.end()) return;
  const auto timer = timers_.find(found->second);
  if (!timer->second.second.isReferenced) --unreferencedCount_;
  timers_.erase(timer);
  due_.erase(found);
}

void Timers::unreference(std::uint32_t id) {
  const auto found = due_.find(id);
  if (found == due_.end()) return;
  bool& isReferenced = timers_.find(found->second)->second.second.isReferenced;
  if (isReferenced) ++unreferencedCount_;
  isReferenced = false;
}

std::optional<Value> Timers::takeDue(JSContext* context, double now) {
  if (timers_.empty() || nextDue() > now) return std::nullopt;
  auto node = timers_.extract(timers_.begin());
  auto& [id, timer] = node.mapped();
  if (timer.repeat == Repeat::No) {
    due_.erase(id);
    if (!timer.isReferenced) --unreferencedCount_;
    return std::move(timer.callback);
  }
  Value callback = Value::share(context, timer.callback.get());
  // From now on, not from when it was due: a slow callback must not make a queue of its own calls.
  node.key() = {now + timer.delay, ++lastOrder_};
  due_[id] = node.key();
  timers_.insert(std::move(node));
  return callback;
}

}  // namespace schemascript::guest
