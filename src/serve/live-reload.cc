#include "serve/live-reload.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"

namespace schemascript {
namespace {

// As a browser reads it: named, so that pages which listen for something else are left alone.
std::string eventOf(std::string_view build) {
  return str("event: reload\nid: ", build, "\ndata: ", build, "\n\n");
}

// The build that the page has seen; empty when it does not say.
std::string_view seenBy(const HttpRequest& request) {
  if (const auto last = request.tryFind("last-event-id"); last && !last->empty()) return *last;
  constexpr std::string_view kName = "build=";
  const std::size_t query = request.path.find('?');
  if (query == std::string_view::npos) return {};
  std::string_view rest = request.path.substr(query + 1);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view field = rest.substr(0, end);
    if (field.starts_with(kName)) return field.substr(kName.size());
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return {};
}

void answer(HttpExchange& exchange, int status, std::string text) {
  HttpAnswerHead head{status, {{"content-type", "text/plain; charset=utf-8"}}};
  if (status == 405) head.headers.emplace_back("allow", "GET");
  exchange.respond(std::move(head), std::move(text));
}

}  // namespace

class LiveReload::Streams {
 public:
  explicit Streams(std::string build) : build_(std::move(build)) {}

  // False: there are too many, or it is the end.
  bool tryAdd(const std::shared_ptr<HttpExchange>& exchange) {
    std::string build;
    {
      const std::lock_guard lock(mutex_);
      if (isOver_ || open_.size() + beginning_ >= kEventStreamsMax) return false;
      ++beginning_;
      build = build_;
    }
    exchange->begin({200, {{"content-type", "text/event-stream"}, {"cache-control", "no-store"}}});
    const std::string_view seen = seenBy(exchange->request());
    std::string first = "retry: 500\n\n";
    // Without data it is no event, but the id is remembered.
    first += seen.empty() || seen == build ? str("id: ", build, "\n\n") : eventOf(build);
    exchange->write(first);
    if (!tryKeep(exchange, build)) exchange->abort();
    return true;
  }

  // Who has gone. Without the end of it, the connection would wait for more to be written.
  void remove(const HttpExchange* exchange) {
    if (const auto removed = take(exchange)) removed->abort();
  }

  void tell(std::string build) {
    const std::lock_guard telling(telling_);
    const std::string event = eventOf(build);
    std::vector<std::shared_ptr<HttpExchange>> all;
    {
      const std::lock_guard lock(mutex_);
      build_ = std::move(build);
      all = open_;
    }
    for (const auto& each : all) {
      // Who has not read all that was told before is better off with a new connection.
      if (each->write(event) != WriteState::Room) remove(each.get());
    }
  }

  void end() {
    const std::lock_guard telling(telling_);
    std::vector<std::shared_ptr<HttpExchange>> all;
    {
      const std::lock_guard lock(mutex_);
      isOver_ = true;
      all.swap(open_);
    }
    for (const auto& each : all) each->end();
  }

  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return open_.size();
  }

 private:
  // False when it has missed something while it began: a browser asks again at once.
  bool tryKeep(const std::shared_ptr<HttpExchange>& exchange, const std::string& build) {
    const std::lock_guard lock(mutex_);
    --beginning_;
    if (isOver_ || build_ != build) return false;
    open_.push_back(exchange);
    return true;
  }

  std::shared_ptr<HttpExchange> take(const HttpExchange* exchange) {
    const std::lock_guard lock(mutex_);
    const auto found =
        std::ranges::find(open_, exchange, [](const auto& each) { return each.get(); });
    if (found == open_.end()) return nullptr;
    auto taken = std::move(*found);
    open_.erase(found);
    return taken;
  }

  // What is asked of an exchange may call back for another one, on the same thread. So callbacks
  // take mutex_ alone, which is never held meanwhile; who tells is kept from who ends by the other,
  // which is taken first.
  std::mutex telling_;
  mutable std::mutex mutex_;  // Guards what follows.
  std::string build_;
  std::size_t beginning_ = 0;  // Not in open_ yet.
  std::vector<std::shared_ptr<HttpExchange>> open_;
  bool isOver_ = false;
};

LiveReload::LiveReload(std::string build) : streams_(std::make_shared<Streams>(std::move(build))) {}

LiveReload::~LiveReload() { streams_->end(); }

bool LiveReload::tryTake(const std::shared_ptr<HttpExchange>& exchange) {
  const HttpRequest& request = exchange->request();
  if (request.path.substr(0, request.path.find('?')) != kEventsPath) return false;
  if (request.method != "GET") {
    answer(*exchange, 405, "Events are read with GET.\n");
  } else if (!streams_->tryAdd(exchange)) {
    answer(*exchange, 503, "Too many pages listen already, or the server ends.\n");
  } else {
    // Called with the lock of nobody: it may be that it has gone already.
    exchange->onClosed([streams = std::weak_ptr(streams_), raw = exchange.get()](CloseReason) {
      if (const auto all = streams.lock()) all->remove(raw);
    });
  }
  return true;
}

void LiveReload::tell(std::string build) { streams_->tell(std::move(build)); }

void LiveReload::end() { streams_->end(); }

std::size_t LiveReload::streamCount() const { return streams_->count(); }

}  // namespace schemascript
