#include "sandbox/page-map.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

namespace schemascript {
namespace {

// <linux/fs.h> has these since Linux 6.7; the machine that builds may be older.
struct ScannedRegion {
  std::uint64_t start;
  std::uint64_t end;
  std::uint64_t categories;
};
struct ScanRequest {
  std::uint64_t size;
  std::uint64_t flags;
  std::uint64_t start;
  std::uint64_t end;
  std::uint64_t walkEnd;
  std::uint64_t regions;
  std::uint64_t regionCount;
  std::uint64_t pagesMax;
  std::uint64_t categoriesInverted;
  std::uint64_t categoriesAll;
  std::uint64_t categoriesAny;
  std::uint64_t categoriesReturned;
};
constexpr unsigned long kPagemapScan = _IOWR('f', 16, ScanRequest);
constexpr std::uint64_t kIsFile = 1u << 2;
constexpr std::uint64_t kIsPresent = 1u << 3;
constexpr std::uint64_t kIsSwapped = 1u << 4;
constexpr std::uint64_t kIsZeroPage = 1u << 5;  // The one that stands for all that were only read.

// An entry of the file.
constexpr std::uint64_t kEntryPresent = 1ull << 63;
constexpr std::uint64_t kEntrySwapped = 1ull << 62;
constexpr std::uint64_t kEntryFile = 1ull << 61;

void addPages(std::vector<PageRun>& runs, std::size_t offset, std::size_t bytes) {
  if (!runs.empty() && runs.back().offset + runs.back().bytes == offset) {
    runs.back().bytes += bytes;
  } else {
    runs.push_back({offset, bytes});
  }
}

}  // namespace

PageMap::PageMap(Way way) : file_(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)), way_(way) {}

bool PageMap::tryFindPrivate(std::span<const std::byte> memory, std::vector<PageRun>& runs) const {
  runs.clear();
  if (!file_.isOpen() || sysconf(_SC_PAGESIZE) != static_cast<long>(kPageBytes)) return false;
  if (way_ == Way::Scan && tryScan(memory, runs)) return true;
  runs.clear();
  if (tryRead(memory, runs)) return true;
  runs.clear();
  return false;
}

bool PageMap::tryScan(std::span<const std::byte> memory, std::vector<PageRun>& runs) const {
  std::array<ScannedRegion, 256> regions;
  const auto first = reinterpret_cast<std::uint64_t>(memory.data());
  ScanRequest request{};
  request.size = sizeof request;
  request.start = first;
  request.end = first + memory.size();
  request.regions = reinterpret_cast<std::uint64_t>(regions.data());
  request.regionCount = regions.size();
  request.categoriesInverted = kIsFile | kIsZeroPage;
  request.categoriesAll = kIsFile | kIsZeroPage;
  request.categoriesAny = kIsPresent | kIsSwapped;
  request.categoriesReturned = kIsFile;
  while (request.start < request.end) {
    const int count = ioctl(file_.get(), kPagemapScan, &request);
    if (count < 0) return false;
    for (int index = 0; index < count; ++index) {
      addPages(runs, regions[index].start - first, regions[index].end - regions[index].start);
    }
    if (request.walkEnd <= request.start) return false;
    request.start = request.walkEnd;
  }
  return true;
}

bool PageMap::tryRead(std::span<const std::byte> memory, std::vector<PageRun>& runs) const {
  std::array<std::uint64_t, 1024> entries;
  const std::size_t firstPage = reinterpret_cast<std::size_t>(memory.data()) / kPageBytes;
  const std::size_t pages = memory.size() / kPageBytes;
  for (std::size_t page = 0; page < pages;) {
    const std::size_t wanted = std::min(pages - page, entries.size());
    const ssize_t size = pread(file_.get(), entries.data(), wanted * sizeof(std::uint64_t),
                               static_cast<off_t>((firstPage + page) * sizeof(std::uint64_t)));
    if (size <= 0 || static_cast<std::size_t>(size) % sizeof(std::uint64_t) != 0) return false;
    const std::size_t got = static_cast<std::size_t>(size) / sizeof(std::uint64_t);
    for (std::size_t index = 0; index < got; ++index) {
      const std::uint64_t entry = entries[index];
      if ((entry & kEntrySwapped) != 0 ||
          ((entry & kEntryPresent) != 0 && (entry & kEntryFile) == 0)) {
        addPages(runs, (page + index) * kPageBytes, kPageBytes);
      }
    }
    page += got;
  }
  return true;
}

std::uint64_t threadNumber() noexcept {
  static std::atomic<std::uint64_t> last{0};
  thread_local const std::uint64_t number = ++last;
  return number;
}

// The kernel counts the faults of its own accesses in the thread's name, too (mm_account_fault).
PageFaults pageFaultsSoFar() noexcept {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return {threadNumber(), static_cast<std::uint64_t>(usage.ru_minflt) +
                              static_cast<std::uint64_t>(usage.ru_majflt)};
}

}  // namespace schemascript
