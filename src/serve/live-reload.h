// Tells pages in browsers that the app behind them was built anew (server-sent events:
// https://html.spec.whatwg.org/multipage/server-sent-events.html).
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "http/server.h"

namespace schemascript {

// Where they listen. Each event is named `reload`; its id and its data are the build's name.
inline constexpr std::string_view kEventsPath = "/__schemascript/events";
// More are answered with 503: a browser keeps six to one server, in all of its tabs.
inline constexpr std::size_t kEventStreamsMax = 100;

// The pages that listen. All functions may be called from any thread.
class LiveReload {
 public:
  // `build`: letters, digits and `-`, as everywhere here.
  explicit LiveReload(std::string build);
  ~LiveReload();
  LiveReload(const LiveReload&) = delete;
  LiveReload& operator=(const LiveReload&) = delete;

  // Answers a request for kEventsPath, and keeps it. False: it is for something else. One that
  // names the build that it has seen, by `?build=` or Last-Event-ID, and that is not the present
  // one, is told at once.
  bool tryTake(const std::shared_ptr<HttpExchange>& exchange);

  void tell(std::string build);
  // Ends all of them, and takes no more. They come back on their own when there is a server again.
  void end();

  std::size_t streamCount() const;

 private:
  class Streams;

  // Owned together with the callbacks of connections, which may come when this has gone.
  const std::shared_ptr<Streams> streams_;
};

}  // namespace schemascript
