// An image of a guest's linear memory: what a new instance starts from. The file is a page of
// header, followed by the memory as it was; instances map it copy-on-write, so that they share
// every page that they do not write.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/file.h"

namespace schemascript {

inline constexpr std::size_t kWasmPageBytes = 64 * 1024;

// Immutable; safe to be used from many threads.
class Snapshot {
 public:
  // Writes `memory` (whole WebAssembly pages) to `path`, all or nothing. `guestHash`, 32
  // characters, names the compiled guest that the image belongs to. Throws Unavailable.
  static void write(const std::string& path, std::span<const std::byte> memory,
                    std::string_view guestHash);

  // Throws Unavailable when the file is missing, damaged, or belongs to another guest.
  Snapshot(const std::string& path, std::string_view guestHash);

  std::uint32_t pages() const noexcept { return pages_; }
  // Makes `memory`, page-aligned and of pages() or more, a private copy of the image without
  // reading it. Throws Unavailable.
  void mapOver(std::byte* memory) const;

 private:
  FileDescriptor file_;
  std::uint32_t pages_ = 0;
};

}  // namespace schemascript
