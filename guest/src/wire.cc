#include "wire.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "host.h"

namespace schemascript::guest {

static_assert(std::endian::native == std::endian::little, "numbers go over the wire as they are");

RequestWriter::RequestWriter(JSContext* context, RequestMemory& memory) noexcept
    : context_(context), memory_(memory.isLent ? nullptr : &memory) {
  if (memory_ == nullptr) return;
  memory_->isLent = true;
  first_ = memory_->bytes;
  capacity_ = RequestMemory::kBytes;
}

RequestWriter::~RequestWriter() {
  const bool isOwn = memory_ == nullptr || first_ != memory_->bytes;
  if (isOwn) js_free(context_, first_);
  if (memory_ != nullptr) memory_->isLent = false;
}

bool RequestWriter::grow(std::size_t more) {
  failed_ = true;
  // Lengths on the wire have 32 bits.
  if (more > UINT32_MAX - size_) {
    JS_ThrowOutOfMemory(context_);
    return false;
  }
  const std::size_t capacity =
      std::max(size_ + more, std::min<std::size_t>(capacity_ * 2, UINT32_MAX));
  const bool isOwn = memory_ == nullptr || first_ != memory_->bytes;
  auto* const moved =
      static_cast<std::uint8_t*>(js_realloc(context_, isOwn ? first_ : nullptr, capacity));
  if (moved == nullptr) return false;
  if (!isOwn) std::memcpy(moved, first_, size_);
  first_ = moved;
  capacity_ = capacity;
  failed_ = false;
  return true;
}

void RequestWriter::head(Method method, Behavior behavior, std::uint32_t transaction,
                         std::uint32_t cursor) {
  const std::uint8_t first[4] = {kBinaryForm, static_cast<std::uint8_t>(method),
                                 static_cast<std::uint8_t>(behavior), 0};
  bytes(first, sizeof first);
  u32(transaction);
  u32(cursor);
}

void RequestWriter::sized(Tag tag, const void* first, std::size_t size) {
  // First the room for all of it, so that it grows at most once.
  if (size > UINT32_MAX - 5) {
    JS_ThrowOutOfMemory(context_);
    failed_ = true;
    return;
  }
  std::uint8_t* const to = take(5 + size);
  if (to == nullptr) return;
  const auto length = static_cast<std::uint32_t>(size);
  *to = static_cast<std::uint8_t>(tag);
  std::memcpy(to + 1, &length, sizeof length);
  if (size != 0) std::memcpy(to + 5, first, size);
}

AnswerReader::AnswerReader(JSContext* context, std::uint32_t size, AnswerMemory& memory) noexcept
    : context_(context), memory_(memory), at_(memory.bytes), end_(memory.bytes), waiting_(size) {}

std::size_t AnswerReader::fetch(std::uint8_t* to, std::size_t sizeMax) noexcept {
  std::size_t fetched = 0;
  while (fetched < sizeMax) {
    const std::size_t more = hostCopyResult(to + fetched, sizeMax - fetched);
    if (more == 0 || more > sizeMax - fetched) break;
    fetched += more;
  }
  // Less than the host had promised: then that was all.
  waiting_ = fetched < sizeMax ? 0 : waiting_ - fetched;
  return fetched;
}

bool AnswerReader::refill(std::size_t count) noexcept {
  if (count > left()) return false;
  const std::size_t kept = available();
  std::memmove(memory_.bytes, at_, kept);
  at_ = memory_.bytes;
  end_ = at_ + kept;
  end_ += fetch(end_, std::min(AnswerMemory::kBytes - kept, waiting_));
  return available() >= count;
}

bool AnswerReader::copy(void* to, std::size_t size) noexcept {
  if (size > left()) return false;
  auto* const first = static_cast<std::uint8_t*>(to);
  const std::size_t near = std::min(size, available());
  if (near != 0) std::memcpy(first, at_, near);
  at_ += near;
  return size == near || fetch(first + near, size - near) == size - near;
}

bool AnswerReader::detach() {
  if (own_ != nullptr || left() == 0) return true;
  auto* const block = static_cast<std::uint8_t*>(js_malloc(context_, left() + 1));
  if (block == nullptr) return false;
  const std::size_t kept = available();
  if (kept != 0) std::memcpy(block, at_, kept);
  own_ = at_ = block;
  end_ = block + kept;
  end_ += fetch(end_, waiting_);
  return true;
}

}  // namespace schemascript::guest
