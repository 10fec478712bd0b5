// Every budget of the HTTP server, with its unit, its default and its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace schemascript {

struct HttpLimits {
  // Open at the same time; each takes a file descriptor and some 5 KiB. More wait unaccepted in the
  // kernel's queue.
  std::size_t connectionsMax = 4096;
  // One request line with all header fields; also the trailers of a chunked body. As Node's.
  std::size_t headBytesMax = 16u << 10;
  // The target in it. What is longer does not fit into the logs and tools of others.
  std::size_t targetBytesMax = 8u << 10;
  // Header fields of one request. Browsers behind two proxies send some 40.
  std::size_t headersMax = 100;
  // One request body, decoded. More belongs into object storage.
  std::uint64_t bodyBytesMax = 32ull << 20;
  // What is held of one request's body before its handler asks for it, and so the largest piece
  // that a handler gets. The client is not read from beyond it.
  std::size_t readBytesMax = 64u << 10;
  // What is held of one answer that is streamed, before write() says that it is full.
  std::size_t writeBytesMax = 256u << 10;

  // From the first byte of a head to its end, and from the acceptance of a connection to its first
  // request. Slow lines need 2 s; who needs longer keeps connections from others.
  std::chrono::milliseconds headTimeMax{10'000};
  // Between an answer and the next request. Longer than what load balancers wait (60 s), so that
  // they close first and no request crosses a close.
  std::chrono::milliseconds idleTimeMax{65'000};
  // In which a client has to send some of a body that is waited for. A phone in a tunnel.
  std::chrono::milliseconds bodyTimeMax{20'000};
  // And in the mean, beyond bodyTimeMax: only the time counts in which the server waits for bytes
  // of a body, and only decoded bytes. The slowest mobile networks are faster; who sends a byte now
  // and then holds a request that others need. 0: no minimum.
  std::uint64_t bodyBytesPerSecondMin = 500;
  // In which a client has to take some of an answer that waits for it: what its machine has
  // acknowledged counts, not what the kernel here has taken.
  std::chrono::milliseconds writeTimeMax{20'000};
  // And in the mean, beyond writeTimeMax, while an answer waits; as bodyBytesPerSecondMin. 0: no
  // minimum.
  std::uint64_t answerBytesPerSecondMin = 500;
  // How long a connection that is closed after an answer is read from, so that the client gets the
  // answer instead of a reset.
  std::chrono::milliseconds lingerTimeMax{2'000};
};

}  // namespace schemascript
