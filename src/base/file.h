// Files as the host itself uses them: source texts, bundles, cache entries. The guest has none.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace schemascript {

// Owns one open file descriptor.
class FileDescriptor {
 public:
  // Takes over `raw`; a negative one stands for none.
  explicit FileDescriptor(int raw = -1) noexcept : raw_(raw) {}
  ~FileDescriptor();
  FileDescriptor(FileDescriptor&& other) noexcept : raw_(std::exchange(other.raw_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(raw_, other.raw_);
    return *this;
  }

  // Valid as long as this object.
  int get() const noexcept { return raw_; }
  bool isOpen() const noexcept { return raw_ >= 0; }

 private:
  int raw_;
};

// The whole file. Throws InvalidRequest when there is no such file or it cannot be read.
std::string readFile(const std::filesystem::path& file);

// Makes `file` hold exactly `bytes`: whoever reads it sees the old content or the new, never a
// part, also when several write at once. Its folder must exist. Throws Unavailable.
void writeFileAtomically(const std::filesystem::path& file, std::string_view bytes);

// ${SCHEMASCRIPT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/schemascript}; it may not exist yet. Throws
// InvalidRequest when none of the three is set.
std::filesystem::path cacheFolder();

}  // namespace schemascript
