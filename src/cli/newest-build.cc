#include "cli/newest-build.h"

#include <algorithm>
#include <random>
#include <utility>

#include "base/error.h"

namespace schemascript {
namespace {

std::string eventOf(std::string_view build) { return str("event: build\ndata: ", build, "\n\n"); }

// A reader that takes nothing is broken off: it comes back by itself.
void tell(HttpExchange& exchange, std::string_view event) noexcept {
  try {
    exchange.write(event);
  } catch (const Error&) {
    exchange.abort();
  }
}

}  // namespace

NewestBuild::NewestBuild() : process_(std::to_string(std::random_device()())) {}

std::string NewestBuild::name() const { return str(process_, '-', count_); }

void NewestBuild::set(std::string problem) {
  std::string event;
  Listeners listeners;
  {
    const std::lock_guard lock(mutex_);
    ++count_;
    problem_ = std::move(problem);
    event = eventOf(name());
    listeners = listeners_;
  }
  for (const auto& exchange : listeners) tell(*exchange, event);
}

bool NewestBuild::hasProblem() const {
  const std::lock_guard lock(mutex_);
  return !problem_.empty();
}

bool NewestBuild::tryAnswer(const std::shared_ptr<HttpExchange>& exchange) {
  const HttpRequest& request = exchange->request();
  if (request.path != kEventsPath) return false;
  if (request.method != "GET") {
    exchange->respond({405, {{"allow", "GET"}}}, "");
  } else {
    listen(exchange);
  }
  return true;
}

void NewestBuild::listen(const std::shared_ptr<HttpExchange>& exchange) {
  exchange->begin({200,
                   {{"content-type", "text/event-stream"},
                    {"cache-control", "no-store"},
                    {"x-accel-buffering", "no"}}});
  std::string event;
  bool isEnding = false;
  {
    const std::lock_guard lock(mutex_);
    isEnding = isEnding_;
    event = eventOf(name());
    if (!isEnding) listeners_.push_back(exchange);
  }
  if (isEnding) return exchange->end();
  exchange->onClosed([this, raw = exchange.get()](CloseReason) { forget(raw); });
  tell(*exchange, str("retry: 300\n\n", event));
}

void NewestBuild::forget(const HttpExchange* exchange) {
  Listeners forgotten;  // Destroyed without the lock.
  const std::lock_guard lock(mutex_);
  const auto rest = std::ranges::partition(
      listeners_, [exchange](const auto& listener) { return listener.get() != exchange; });
  std::ranges::move(rest, std::back_inserter(forgotten));
  listeners_.erase(rest.begin(), rest.end());
}

HostAnswer NewestBuild::answerFailure(const HttpRequest& request, int status,
                                      std::string_view why) const {
  std::string text(why);
  std::string build;
  {
    const std::lock_guard lock(mutex_);
    build = name();
    if (text.empty() && !problem_.empty()) {
      text = problem_;
      status = 500;
    }
  }
  if (text.empty()) text = str("The request was not answered (", status, ").");
  return answerWithError(request, {.status = status, .text = text, .build = build});
}

void NewestBuild::end() {
  Listeners listeners;
  {
    const std::lock_guard lock(mutex_);
    isEnding_ = true;
    listeners.swap(listeners_);
  }
  for (const auto& exchange : listeners) {
    try {
      exchange->end();
    } catch (const Error&) {
      // It has ended.
    }
  }
}

}  // namespace schemascript
