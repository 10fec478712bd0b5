// Turns to write to one database: one at a time in this process, in the order of asking. SQLite
// itself lets writers try again and again until one of them happens to be first.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>

namespace schemascript {

class WriterQueue;

// Somebody who takes turns, and can be told from another thread to wait no longer. Must outlive its
// turns.
class Writer {
 public:
  explicit Writer(WriterQueue& queue) noexcept : queue_(queue) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Ends the wait for a turn, and every later one. From any thread.
  void cancel() noexcept;

 private:
  friend class WriterQueue;
  friend class WriterTurn;

  WriterQueue& queue_;
  // Guarded by the queue's mutex.
  std::condition_variable changed_;
  bool hasTurn_ = false;
  bool isCancelled_ = false;
};

// The right to write, until it leaves its scope.
class WriterTurn {
 public:
  WriterTurn(WriterTurn&& other) noexcept;
  WriterTurn& operator=(WriterTurn&&) = delete;
  ~WriterTurn();

 private:
  friend class WriterQueue;
  explicit WriterTurn(Writer& writer) noexcept : writer_(&writer) {}

  Writer* writer_;  // Null when it was moved from.
};

// Thread-safe. Must outlive its writers.
class WriterQueue {
 public:
  explicit WriterQueue(std::uint32_t waitingMax) noexcept : waitingMax_(waitingMax) {}
  WriterQueue(const WriterQueue&) = delete;
  WriterQueue& operator=(const WriterQueue&) = delete;

  // Waits until all who asked before have had their turn. Throws Busy when `waitingMax` wait
  // already, and LimitExceeded when `writer` was cancelled. A writer has one turn at a time.
  WriterTurn takeTurn(Writer& writer);
  // The same, but waits no longer than `until`, and then answers nothing. Does not look at the
  // clock when nobody has the turn.
  std::optional<WriterTurn> tryTakeTurn(Writer& writer,
                                        std::chrono::steady_clock::time_point until);

  // How many wait at this moment: for tests and metrics.
  std::size_t waitingCount() const;

 private:
  friend class Writer;
  friend class WriterTurn;

  void endTurn(Writer& writer) noexcept;

  const std::uint32_t waitingMax_;
  mutable std::mutex mutex_;
  bool isTaken_ = false;
  std::deque<Writer*> waiting_;
};

}  // namespace schemascript
