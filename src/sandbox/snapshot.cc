#include "sandbox/snapshot.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"
#include "base/file.h"

namespace schemascript {
namespace {

// The header is a page of its own, so that the image behind it can be mapped.
constexpr std::size_t kHeaderBytes = 4096;
constexpr std::array<char, 8> kMagic = {'s', 's', 'i', 'm', 'a', 'g', 'e', '1'};

struct Header {
  std::array<char, 8> magic;
  std::array<char, 32> guestHash;
  std::uint64_t pages;
};

}  // namespace

void Snapshot::write(const std::string& path, std::span<const std::byte> memory,
                     std::string_view guestHash) {
  SS_CHECK(memory.size() % kWasmPageBytes == 0, memory.size());
  std::string file(kHeaderBytes, '\0');
  Header header{kMagic, {}, memory.size() / kWasmPageBytes};
  SS_CHECK(guestHash.size() == header.guestHash.size(), guestHash);
  std::ranges::copy(guestHash, header.guestHash.begin());
  std::memcpy(file.data(), &header, sizeof header);
  file.append(reinterpret_cast<const char*>(memory.data()), memory.size());
  writeFileAtomically(path, file);
}

Snapshot::Snapshot(const std::string& path, std::string_view guestHash)
    : file_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  const auto refuse = [&path](std::string_view why) {
    return unavailable(str("the base snapshot ", path, ' ', why, "; build SchemaScript again"));
  };
  if (!file_.isOpen()) throw refuse(str("cannot be read: ", std::strerror(errno)));
  Header header{};
  struct stat status {};
  if (pread(file_.get(), &header, sizeof header, 0) != sizeof header ||
      fstat(file_.get(), &status) != 0 || header.magic != kMagic ||
      static_cast<std::uint64_t>(status.st_size) != kHeaderBytes + header.pages * kWasmPageBytes) {
    throw refuse("is damaged");
  }
  if (!std::ranges::equal(header.guestHash, guestHash))
    throw refuse("belongs to another build of the guest");
  pages_ = static_cast<std::uint32_t>(header.pages);
}

void Snapshot::mapOver(std::byte* memory) const {
  const void* const mapped = mmap(memory, pages_ * kWasmPageBytes, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_FIXED, file_.get(), kHeaderBytes);
  if (mapped == MAP_FAILED) {
    throw unavailable(str("the base snapshot cannot be mapped: ", std::strerror(errno)));
  }
}

}  // namespace schemascript
