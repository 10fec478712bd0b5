// Which pages of its memory this process has a copy of its own of, as the kernel knows it: what a
// guest wrote, and what it has to be given back when it is reset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/file.h"

namespace schemascript {

inline constexpr std::size_t kPageBytes = 4096;  // Of the processor, not of WebAssembly.

// Whole pages, counted in bytes from the beginning of a memory.
struct PageRun {
  std::size_t offset;
  std::size_t bytes;
  friend bool operator==(const PageRun&, const PageRun&) = default;
};

// Reads /proc/self/pagemap, whose format is in the kernel's documentation,
// admin-guide/mm/pagemap.rst. Immutable; safe to be used from many threads. Not after a fork.
class PageMap {
 public:
  // How to ask. Scan is quicker, and Linux has it since 6.7. The tests use both.
  enum class Way { Scan, Read };

  explicit PageMap(Way way = Way::Scan);

  // Puts into `runs`, in order, the pages of `memory` that are private: not those of a mapped file
  // that nobody wrote, nor those that were never touched. Those that are swapped out belong to
  // them. `memory` is page-aligned. False, and nothing found, where the kernel does not tell.
  [[nodiscard]] bool tryFindPrivate(std::span<const std::byte> memory,
                                    std::vector<PageRun>& runs) const;

 private:
  bool tryScan(std::span<const std::byte> memory, std::vector<PageRun>& runs) const;
  bool tryRead(std::span<const std::byte> memory, std::vector<PageRun>& runs) const;

  FileDescriptor file_;
  Way way_;
};

// How often this thread had to be given a page so far. As long as this stays the same, no page has
// become private through this thread. 0.3 us.
std::uint64_t pageFaultsOfThread() noexcept;

}  // namespace schemascript
