#include "sandbox/snapshot.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"

namespace schemascript {
namespace {

// The header is a page of its own, so that what is behind it can be mapped.
constexpr std::size_t kHeaderBytes = kPageBytes;
constexpr std::array<char, 8> kMagic = {'s', 's', 'i', 'm', 'a', 'g', 'e', '2'};
// Zeros of this length are left out: it is not worth another mapping for less.
constexpr std::size_t kGapBytesMin = 256 * 1024;
constexpr std::size_t kPartsMax = 64;
constexpr std::uint64_t kPagesMax = 65536;

using Digits = std::array<char, 32>;  // Of Hasher::hex().

Digits digitsOf(std::string_view hash) {
  Digits digits{};
  SS_CHECK(hash.size() == digits.size(), hash);
  std::ranges::copy(hash, digits.begin());
  return digits;
}

bool isZero(std::span<const std::byte> page) noexcept {
  return page[0] == std::byte{0} && std::memcmp(page.data(), page.data() + 1, page.size() - 1) == 0;
}

Error failure(std::string_view what) {
  return unavailable(str("a guest's snapshot cannot be ", what, ": ", std::strerror(errno)));
}

void writeAt(const FileDescriptor& file, std::span<const std::byte> bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t size = pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) throw failure("kept in memory");
    bytes = bytes.subspan(static_cast<std::size_t>(size));
    offset += static_cast<std::uint64_t>(size);
  }
}

FileDescriptor newMemoryFile(std::uint64_t bytes) {
  FileDescriptor file(memfd_create("schemascript-snapshot", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file.isOpen() || ftruncate(file.get(), static_cast<off_t>(bytes)) != 0) {
    throw failure("kept in memory");
  }
  return file;
}

// From now on nobody can change it, whoever gets hold of it.
void seal(const FileDescriptor& file) {
  constexpr int kSeals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  if (fcntl(file.get(), F_ADD_SEALS, kSeals) != 0) throw failure("sealed");
}

}  // namespace

struct Snapshot::Header {
  struct StoredPart {
    std::uint64_t offset;
    std::uint64_t bytes;
  };

  std::array<char, 8> magic;
  Digits inputs;
  Digits checksum;  // Of all that follows, and of the parts.
  std::uint32_t stackPointer;
  std::uint32_t partCount;
  std::uint64_t pages;
  std::array<StoredPart, kPartsMax> parts;

  // What the file of such a header must be long. Nothing when it describes no image.
  std::optional<std::uint64_t> fileBytes() const noexcept {
    if (magic != kMagic || pages > kPagesMax || partCount > kPartsMax) return std::nullopt;
    std::uint64_t total = kHeaderBytes;
    std::uint64_t end = 0;
    for (std::uint32_t index = 0; index < partCount; ++index) {
      const auto [offset, bytes] = parts[index];
      const std::uint64_t memoryBytes = pages * kWasmPageBytes;
      if (offset < end || offset % kPageBytes != 0 || bytes % kPageBytes != 0 ||
          offset > memoryBytes || bytes > memoryBytes - offset) {
        return std::nullopt;
      }
      end = offset + bytes;
      total += bytes;
    }
    return total;
  }

  // `image`: what follows the header in the file.
  Digits checksumOf(std::span<const std::byte> image) const {
    static_assert(sizeof(Header) <= kHeaderBytes);
    const auto* const first = reinterpret_cast<const char*>(&stackPointer);
    const auto* const end = reinterpret_cast<const char*>(this + 1);
    Hasher hasher;
    hasher.add({first, end});
    hasher.add({reinterpret_cast<const char*>(image.data()), image.size()});
    return digitsOf(hasher.hex());
  }
};

Snapshot::Mapping::Mapping(const FileDescriptor& file, std::size_t size) {
  void* const mapped = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (mapped == MAP_FAILED) throw failure("mapped");
  bytes_ = {static_cast<const std::byte*>(mapped), size};
}

Snapshot::Mapping::Mapping(Mapping&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

Snapshot::Mapping::~Mapping() {
  if (!bytes_.empty()) munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

Snapshot::Snapshot(FileDescriptor file, std::uint64_t fileBytes, const Header& header)
    : file_(std::move(file)),
      mapping_(file_, fileBytes),
      pages_(static_cast<std::uint32_t>(header.pages)),
      globals_{header.stackPointer},
      checksum_(header.checksum.data(), header.checksum.size()) {
  std::uint64_t at = kHeaderBytes;
  for (std::uint32_t index = 0; index < header.partCount; ++index) {
    const auto [offset, bytes] = header.parts[index];
    parts_.push_back({offset, bytes, at});
    at += bytes;
  }
}

namespace {

// The parts of `memory` that are to be kept, with the short gaps between them.
std::vector<PageRun> partsOf(std::span<const std::byte> memory, std::span<const PageRun> touched) {
  std::vector<PageRun> parts;
  for (const PageRun& run : touched) {
    for (std::size_t at = run.offset; at < run.offset + run.bytes; at += kPageBytes) {
      if (isZero(memory.subspan(at, kPageBytes))) continue;
      const bool extends =
          !parts.empty() && at - (parts.back().offset + parts.back().bytes) < kGapBytesMin;
      // The last part takes whatever there is no room for.
      if (extends || parts.size() == kPartsMax) {
        parts.back().bytes = at + kPageBytes - parts.back().offset;
      } else {
        parts.push_back({at, kPageBytes});
      }
    }
  }
  return parts;
}

}  // namespace

Snapshot::Snapshot(std::span<const std::byte> memory, std::span<const PageRun> touched,
                   GuestGlobals globals, std::string_view inputs)
    : Snapshot([&] {
        SS_CHECK(memory.size() % kWasmPageBytes == 0, memory.size());
        const std::vector<PageRun> parts = partsOf(memory, touched);
        Header header{};
        header.magic = kMagic;
        header.inputs = digitsOf(inputs);
        header.stackPointer = globals.stackPointer;
        header.pages = memory.size() / kWasmPageBytes;
        header.partCount = static_cast<std::uint32_t>(parts.size());
        for (std::size_t index = 0; index < parts.size(); ++index) {
          header.parts[index] = {parts[index].offset, parts[index].bytes};
        }
        const std::uint64_t fileBytes = header.fileBytes().value();
        FileDescriptor file = newMemoryFile(fileBytes);
        std::uint64_t at = kHeaderBytes;
        for (const PageRun& part : parts) {
          // A page of zeros takes no memory if it is not written.
          for (std::size_t page = 0; page < part.bytes; page += kPageBytes, at += kPageBytes) {
            const auto bytes = memory.subspan(part.offset + page, kPageBytes);
            if (!isZero(bytes)) writeAt(file, bytes, at);
          }
        }
        header.checksum = header.checksumOf(Mapping(file, fileBytes).bytes().subspan(kHeaderBytes));
        writeAt(file, std::as_bytes(std::span(&header, 1)), 0);
        seal(file);
        return Snapshot(std::move(file), fileBytes, header);
      }()) {}

Snapshot::Snapshot(const std::filesystem::path& path, std::string_view inputs)
    : Snapshot([&] {
        const auto refuse = [&path](std::string_view why) {
          return unavailable(
              str("the snapshot ", path.native(), ' ', why, "; build SchemaScript again"));
        };
        FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!file.isOpen()) throw refuse(str("cannot be read: ", std::strerror(errno)));
        Header header{};
        struct stat status{};
        if (pread(file.get(), &header, sizeof header, 0) != sizeof header ||
            fstat(file.get(), &status) != 0 ||
            header.fileBytes() != static_cast<std::uint64_t>(status.st_size)) {
          throw refuse("is damaged");
        }
        if (header.inputs != digitsOf(inputs))
          throw refuse("belongs to another build of the guest");
        return Snapshot(std::move(file), static_cast<std::uint64_t>(status.st_size), header);
      }()) {}

std::optional<Snapshot> Snapshot::tryLoad(const std::filesystem::path& path,
                                          std::string_view inputs) {
  FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  Header header{};
  struct stat status{};
  if (!file.isOpen() || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
      pread(file.get(), &header, sizeof header, 0) != sizeof header) {
    return std::nullopt;
  }
  const auto fileBytes = static_cast<std::uint64_t>(status.st_size);
  if (header.fileBytes() != fileBytes || header.inputs != digitsOf(inputs)) return std::nullopt;
  Snapshot snapshot(std::move(file), fileBytes, header);
  const auto bytes = snapshot.mapping_.bytes();
  // All pages at once, which costs less than a fault for each. A disk that cannot be read is an
  // error here, and a signal later; a kernel before 5.14 does not know the request.
  void* const begin = const_cast<std::byte*>(bytes.data());
  if (madvise(begin, bytes.size(), MADV_POPULATE_READ) != 0 && errno != EINVAL) return std::nullopt;
  if (header.checksum != header.checksumOf(bytes.subspan(kHeaderBytes))) return std::nullopt;
  return snapshot;
}

void Snapshot::writeTo(const std::filesystem::path& path) const {
  const auto bytes = mapping_.bytes();
  writeFileAtomically(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

// Goes through `run`: inPart(offset, bytes, image) and inGap(offset, bytes), in order.
template <typename InPart, typename InGap>
void Snapshot::walk(const PageRun& run, InPart&& inPart, InGap&& inGap) const {
  std::size_t at = run.offset;
  const std::size_t end = run.offset + run.bytes;
  for (const Part& part : parts_) {
    if (part.offset + part.bytes <= at) continue;
    if (part.offset >= end) break;
    if (part.offset > at) {
      inGap(at, part.offset - at);
      at = part.offset;
    }
    const std::size_t bytes = std::min<std::size_t>(end, part.offset + part.bytes) - at;
    inPart(at, bytes, mapping_.bytes().data() + part.fileOffset + (at - part.offset));
    at += bytes;
  }
  if (at < end) inGap(at, end - at);
}

void Snapshot::mapOver(std::byte* memory) const {
  for (const Part& part : parts_) {
    const void* const mapped =
        mmap(memory + part.offset, part.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
             file_.get(), static_cast<off_t>(part.fileOffset));
    if (mapped == MAP_FAILED) throw failure("mapped");
  }
  // A large page would be given and taken back as a whole; and pages would become private without
  // a fault.
  madvise(memory, memoryBytes(), MADV_NOHUGEPAGE);
  walk(
      {0, memoryBytes()}, [](std::size_t, std::size_t, const std::byte*) {},
      [memory](std::size_t offset, std::size_t bytes) {
        if (madvise(memory + offset, bytes, MADV_DONTNEED) != 0) throw failure("mapped");
      });
}

void Snapshot::copyBack(std::byte* memory, const PageRun& run) const noexcept {
  walk(
      run,
      [memory](std::size_t offset, std::size_t bytes, const std::byte* image) {
        std::memcpy(memory + offset, image, bytes);
      },
      [memory](std::size_t offset, std::size_t bytes) { std::memset(memory + offset, 0, bytes); });
}

std::optional<std::size_t> Snapshot::firstDifference(const std::byte* memory) const noexcept {
  std::optional<std::size_t> found;
  const auto look = [&](std::size_t offset, std::size_t bytes, auto&& isAsItShouldBe) {
    for (std::size_t at = offset; !found && at < offset + bytes; ++at) {
      if (!isAsItShouldBe(at)) found = at;
    }
  };
  walk(
      {0, memoryBytes()},
      [&](std::size_t offset, std::size_t bytes, const std::byte* image) {
        if (std::memcmp(memory + offset, image, bytes) == 0) return;
        look(offset, bytes, [&](std::size_t at) { return memory[at] == image[at - offset]; });
      },
      [&](std::size_t offset, std::size_t bytes) {
        if (isZero({memory + offset, bytes})) return;
        look(offset, bytes, [&](std::size_t at) { return memory[at] == std::byte{0}; });
      });
  return found;
}

}  // namespace schemascript
