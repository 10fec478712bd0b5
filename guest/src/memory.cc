// memcpy, memmove and memset in place of libc's. WasmEdge executes WebAssembly's memory.copy and
// memory.fill by a call into its runtime, which takes locks: some 100 ns, where most of what the
// engine copies are a few words. So these loop, and use the instructions only where there is much
// to copy. The one file that is compiled with bulk memory operations, and without the compiler's
// knowledge of what these functions do: it would call them from within themselves.
#include <cstddef>
#include <cstdint>

namespace {

// From so many bytes on, the instruction is the quicker one.
constexpr std::size_t kBulkBytes = 512;

// Words wherever they lie: WebAssembly loads and stores them at any address.
using Word = std::uint64_t __attribute__((aligned(1), may_alias));

Word& word(void* at) { return *static_cast<Word*>(at); }
Word word(const void* at) { return *static_cast<const Word*>(at); }

// Fewer than 16 bytes. Everything is loaded before anything is stored, so they may overlap.
void copyFew(std::uint8_t* to, const std::uint8_t* from, std::size_t size) {
  using Half = std::uint32_t __attribute__((aligned(1), may_alias));
  if (size >= 8) {
    const std::uint64_t first = word(from);
    const std::uint64_t last = word(from + size - 8);
    word(to) = first;
    word(to + size - 8) = last;
  } else if (size >= 4) {
    const std::uint32_t first = *reinterpret_cast<const Half*>(from);
    const std::uint32_t last = *reinterpret_cast<const Half*>(from + size - 4);
    *reinterpret_cast<Half*>(to) = first;
    *reinterpret_cast<Half*>(to + size - 4) = last;
  } else if (size != 0) {
    const std::uint8_t first = from[0];
    const std::uint8_t middle = from[size / 2];
    const std::uint8_t last = from[size - 1];
    to[0] = first;
    to[size / 2] = middle;
    to[size - 1] = last;
  }
}

}  // namespace

extern "C" {

void* memcpy(void* __restrict to, const void* __restrict from, std::size_t size) {
  auto* target = static_cast<std::uint8_t*>(to);
  const auto* source = static_cast<const std::uint8_t*>(from);
  if (size < 16) {
    copyFew(target, source, size);
    return to;
  }
  if (size >= kBulkBytes) return __builtin_memcpy(to, from, size);
  // The last word first; the loop may end before it.
  word(target + size - 8) = word(source + size - 8);
  for (std::size_t at = 0; at + 8 < size; at += 8) word(target + at) = word(source + at);
  return to;
}

void* memmove(void* to, const void* from, std::size_t size) {
  auto* target = static_cast<std::uint8_t*>(to);
  const auto* source = static_cast<const std::uint8_t*>(from);
  if (size < 16) {
    copyFew(target, source, size);
    return to;
  }
  if (size >= kBulkBytes) return __builtin_memmove(to, from, size);
  if (target <= source) {
    const std::uint64_t last = word(source + size - 8);
    for (std::size_t at = 0; at + 8 < size; at += 8) word(target + at) = word(source + at);
    word(target + size - 8) = last;
  } else {
    const std::uint64_t first = word(source);
    for (std::size_t at = size; at > 8; at -= 8) word(target + at - 8) = word(source + at - 8);
    word(target) = first;
  }
  return to;
}

void* memset(void* to, int value, std::size_t size) {
  auto* target = static_cast<std::uint8_t*>(to);
  const auto byte = static_cast<std::uint8_t>(value);
  if (size < 8) {
    for (std::size_t at = 0; at < size; ++at) target[at] = byte;
    return to;
  }
  if (size >= kBulkBytes) return __builtin_memset(to, value, size);
  const std::uint64_t words = byte * 0x0101010101010101ull;
  word(target + size - 8) = words;
  for (std::size_t at = 0; at + 8 < size; at += 8) word(target + at) = words;
  return to;
}

}  // extern "C"
