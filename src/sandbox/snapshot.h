// An image of a guest: its linear memory, and what it has beside that. Every new guest starts from
// one. Instances map it copy-on-write, so that they share every page that they do not write.
//
// As a file, and likewise in memory, it is a page of header, followed by those parts of the memory
// that hold anything but zeros.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "sandbox/page-map.h"

namespace schemascript {

inline constexpr std::size_t kWasmPageBytes = 64 * 1024;

// What a guest has beside its memory: the module's only mutable global.
struct GuestGlobals {
  std::uint32_t stackPointer = 0;
};

// Immutable; safe to be used from many threads. `inputs`, 32 characters, is the hash of what it was
// made from.
class Snapshot {
 public:
  // Of `memory`, whole WebAssembly pages, as it is; kept in memory. `touched` has every page that
  // may be anything but zeros. Throws Unavailable.
  Snapshot(std::span<const std::byte> memory, std::span<const PageRun> touched,
           GuestGlobals globals, std::string_view inputs);

  // A file of the installation. Maps it without reading all of it: nothing but its size says that
  // it is whole. Throws Unavailable when it is missing, damaged, or was made from other inputs.
  Snapshot(const std::filesystem::path& file, std::string_view inputs);

  // A file of a cache, which is checked to the last byte and then mapped: from then on it may be
  // replaced or removed, but not written to in place, which nothing here does. Nothing when it is
  // missing or cannot be read, is damaged, or was made from other inputs: it is then to be made
  // anew.
  static std::optional<Snapshot> tryLoad(const std::filesystem::path& file,
                                         std::string_view inputs);

  Snapshot(Snapshot&&) noexcept = default;
  Snapshot& operator=(Snapshot&&) noexcept = default;
  ~Snapshot() = default;

  // All or nothing. Throws Unavailable.
  void writeTo(const std::filesystem::path& file) const;

  // Of linear memory, in pages of 64 KiB.
  std::uint32_t pages() const noexcept { return pages_; }
  std::uint64_t memoryBytes() const noexcept { return pages_ * std::uint64_t{kWasmPageBytes}; }
  const GuestGlobals& globals() const noexcept { return globals_; }
  // 32 characters that name the image itself: the hash of all its bytes.
  const std::string& checksum() const noexcept { return checksum_; }

  // Makes `memory`, anonymous memory of memoryBytes() or what was mapped over it before, a private
  // copy of the image without reading it. Throws Unavailable.
  void mapOver(std::byte* memory) const;
  // Makes the bytes of `run` what they are in the image, by copying them.
  void copyBack(std::byte* memory, const PageRun& run) const noexcept;
  // Where `memory`, of memoryBytes(), differs from the image first.
  std::optional<std::size_t> firstDifference(const std::byte* memory) const noexcept;

 private:
  // A part of linear memory, and where it is in the file. Ordered; between them there are zeros.
  struct Part {
    std::uint64_t offset;
    std::uint64_t bytes;
    std::uint64_t fileOffset;
  };
  struct Header;
  // A view of the whole file, for copying from it.
  class Mapping {
   public:
    Mapping() = default;
    Mapping(const FileDescriptor& file, std::size_t size);
    Mapping(Mapping&& other) noexcept;
    Mapping& operator=(Mapping&& other) noexcept {
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    ~Mapping();
    std::span<const std::byte> bytes() const noexcept { return bytes_; }

   private:
    std::span<const std::byte> bytes_;
  };

  Snapshot(FileDescriptor file, std::uint64_t fileBytes, const Header& header);

  template <typename InPart, typename InGap>
  void walk(const PageRun& run, InPart&& inPart, InGap&& inGap) const;

  FileDescriptor file_;
  Mapping mapping_;
  std::uint32_t pages_;
  GuestGlobals globals_;
  std::string checksum_;
  std::vector<Part> parts_;
};

}  // namespace schemascript
