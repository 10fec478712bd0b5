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

// An exchange that is used may tell at once, on this thread, that it is closed, and then remove()
// is called: so the lock is for the list alone, and nobody holds it who uses an exchange.
class LiveReload::Streams {
 public:
  explicit Streams(std::string build) : build_(std::move(build)) {}

  // False: there are too many, or it is the end.
  bool tryAdd(const std::shared_ptr<HttpExchange>& exchange) {
    std::string told;
    {
      const std::lock_guard lock(mutex_);
      if (isOver_ || open_.size() >= kEventStreamsMax) return false;
      told = build_;
    }
    exchange->begin({200, {{"content-type", "text/event-stream"}, {"cache-control", "no-store"}}});
    const std::string_view seen = seenBy(exchange->request());
    // Without data it is no event, but the id is remembered.
    exchange->write(str("retry: 500\n\n",
                        seen.empty() || seen == told ? str("id: ", told, "\n\n") : eventOf(told)));
    while (!tryEnlist(exchange, told)) exchange->write(eventOf(told));
    return true;
  }

  // Who has gone. Without the end of it, the connection would wait for more to be written.
  void remove(const HttpExchange* exchange) {
    for (const auto& each :
         takeOut([exchange](const auto& open) { return open.get() == exchange; })) {
      each->abort();
    }
  }

  void tell(std::string build) {
    const std::string event = eventOf(build);
    std::vector<std::shared_ptr<HttpExchange>> all;
    {
      const std::lock_guard lock(mutex_);
      build_ = std::move(build);
      all = open_;
    }
    // Who has not read all that was told before is better off with a new connection.
    std::erase_if(all,
                  [&event](const auto& each) { return each->write(event) == WriteState::Room; });
    for (const auto& each : all) remove(each.get());
  }

  void end() {
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
  // False: there is a newer build than the one that was told, which is the one to tell now.
  bool tryEnlist(const std::shared_ptr<HttpExchange>& exchange, std::string& told) {
    bool isOver = false;
    {
      const std::lock_guard lock(mutex_);
      if (told != build_) {
        told = build_;
        return false;
      }
      isOver = isOver_;
      if (!isOver) open_.push_back(exchange);
    }
    if (isOver) exchange->end();
    return true;
  }

  template <typename Which>
  std::vector<std::shared_ptr<HttpExchange>> takeOut(Which&& which) {
    std::vector<std::shared_ptr<HttpExchange>> taken;
    const std::lock_guard lock(mutex_);
    std::erase_if(open_, [&](const auto& each) {
      if (!which(each)) return false;
      taken.push_back(each);
      return true;
    });
    return taken;
  }

  mutable std::mutex mutex_;
  std::string build_;
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
    // It may have gone already.
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
