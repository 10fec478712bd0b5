#include "database/writer-queue.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace schemascript {

void Writer::cancel() noexcept {
  const std::lock_guard lock(queue_.mutex_);
  isCancelled_ = true;
  changed_.notify_all();
}

WriterTurn::WriterTurn(WriterTurn&& other) noexcept
    : writer_(std::exchange(other.writer_, nullptr)) {}

WriterTurn::~WriterTurn() {
  if (writer_ != nullptr) writer_->queue_.endTurn(*writer_);
}

WriterTurn WriterQueue::takeTurn(Writer& writer) {
  return *tryTakeTurn(writer, std::chrono::steady_clock::time_point::max());
}

std::optional<WriterTurn> WriterQueue::tryTakeTurn(Writer& writer,
                                                   std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(mutex_);
  SS_CHECK(!writer.hasTurn_);
  if (!isTaken_) {
    isTaken_ = true;
    writer.hasTurn_ = true;
    return WriterTurn(writer);
  }
  if (waiting_.size() >= waitingMax_) {
    throw unavailable(str(waiting_.size(), waiting_.size() == 1 ? " other waits" : " others wait",
                          " already to write to this database, which is waitingWritersMax; try "
                          "again later"));
  }
  waiting_.push_back(&writer);
  const bool ended = writer.changed_.wait_until(
      lock, until, [&writer] { return writer.hasTurn_ || writer.isCancelled_; });
  if (!writer.hasTurn_) {
    waiting_.erase(std::find(waiting_.begin(), waiting_.end(), &writer));
    if (!ended) return std::nullopt;
    throw limitExceeded("the time was over while it waited for its turn to write");
  }
  return WriterTurn(writer);
}

std::size_t WriterQueue::waitingCount() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

void WriterQueue::endTurn(Writer& writer) noexcept {
  const std::lock_guard lock(mutex_);
  writer.hasTurn_ = false;
  isTaken_ = !waiting_.empty();
  if (waiting_.empty()) return;
  Writer& next = *waiting_.front();
  waiting_.pop_front();
  next.hasTurn_ = true;
  next.changed_.notify_all();
}

}  // namespace schemascript
