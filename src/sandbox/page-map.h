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

// A thread, and how often it had to be given a page so far. As long as both stay the same, and no
// other thread touches a memory, none of its pages has become private.
struct PageFaults {
  std::uint64_t thread = 0;  // No thread has the number 0, nor that of one that has ended.
  std::uint64_t count = 0;
  friend bool operator==(const PageFaults&, const PageFaults&) = default;
};
// Of the calling thread. 0.3 us.
PageFaults pageFaultsSoFar() noexcept;
// Another one for every thread that ever was. From 1.
std::uint64_t threadNumber() noexcept;

}  // namespace schemascript
