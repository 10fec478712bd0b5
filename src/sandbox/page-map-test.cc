#include "sandbox/page-map.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <set>
#include <thread>

namespace schemascript {
namespace {

constexpr std::size_t kPages = 4000;  // More than is asked for at a time, in either way.

class PrivatePages : public testing::TestWithParam<PageMap::Way> {
 protected:
  PrivatePages() {
    const int file = memfd_create("page-map-test", 0);
    EXPECT_EQ(ftruncate(file, kPages * kPageBytes), 0);
    // The first half of a file, the second of nothing.
    memory_ = static_cast<std::byte*>(mmap(nullptr, kPages * kPageBytes, PROT_READ | PROT_WRITE,
                                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    madvise(memory_, kPages * kPageBytes, MADV_NOHUGEPAGE);
    mmap(memory_, kPages / 2 * kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, file,
         0);
    close(file);
  }
  ~PrivatePages() override { munmap(memory_, kPages * kPageBytes); }

  void write(std::size_t page) { memory_[page * kPageBytes + 17] = std::byte{1}; }
  std::byte read(std::size_t page) {
    return *static_cast<volatile std::byte*>(memory_ + page * kPageBytes);
  }
  std::vector<PageRun> found() {
    std::vector<PageRun> runs{{1, 2}};  // Something that is dropped.
    EXPECT_TRUE(map_.tryFindPrivate({memory_, kPages * kPageBytes}, runs));
    return runs;
  }
  static PageRun run(std::size_t page, std::size_t pages) {
    return {page * kPageBytes, pages * kPageBytes};
  }

  const PageMap map_{GetParam()};
  std::byte* memory_;
};

TEST_P(PrivatePages, AreThoseThatWereWritten) {
  EXPECT_EQ(found(), std::vector<PageRun>());
  for (std::size_t page = 0; page < kPages / 2; ++page) read(page);
  EXPECT_EQ(found(), std::vector<PageRun>());
  for (const std::size_t page : {0, 7, 8, 9, 1500, 1999, 2000, 2001, 3999}) write(page);
  EXPECT_EQ(found(),
            (std::vector<PageRun>{run(0, 1), run(7, 3), run(1500, 1), run(1999, 3), run(3999, 1)}));
}

TEST_P(PrivatePages, AreFoundHoweverManyRunsThereAre) {
  std::vector<PageRun> expected;
  for (std::size_t page = 1; page < kPages; page += 2) {
    write(page);
    expected.push_back(run(page, 1));
  }
  EXPECT_EQ(found(), expected);
}

TEST_P(PrivatePages, StayPrivateWhenTheyCannotBeTouched) {
  write(3);
  mprotect(memory_, kPages * kPageBytes, PROT_NONE);
  EXPECT_EQ(found(), std::vector<PageRun>{run(3, 1)});
}

TEST(PageFaults, TellWhetherAPageMayHaveBecomePrivate) {
  constexpr std::size_t kBytes = 64 * kPageBytes;
  auto* const memory = static_cast<std::byte*>(
      mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  madvise(memory, kBytes, MADV_NOHUGEPAGE);
  *static_cast<volatile std::byte*>(memory) = std::byte{1};
  for (std::size_t page = 1; page < 64; ++page) {
    PageFaults before = pageFaultsSoFar();
    memory[0] = std::byte{2};  // Again.
    EXPECT_EQ(pageFaultsSoFar(), before);
    before = pageFaultsSoFar();
    if (page % 2 == 0) {
      static_cast<volatile std::byte*>(memory)[page * kPageBytes] = std::byte{1};
    } else {  // By the kernel.
      ASSERT_EQ(getrandom(memory + page * kPageBytes, 8, 0), 8);
    }
    EXPECT_NE(pageFaultsSoFar(), before);
  }
  munmap(memory, kBytes);
  // Threads that have the same handle, one after the other, are not the same.
  std::set<std::uint64_t> seen{threadNumber()};
  for (int count = 0; count < 10; ++count) {
    std::thread([&seen] { seen.insert(pageFaultsSoFar().thread); }).join();
  }
  EXPECT_EQ(seen.size(), 11u);
}

INSTANTIATE_TEST_SUITE_P(BothWays, PrivatePages,
                         testing::Values(PageMap::Way::Scan, PageMap::Way::Read),
                         [](const auto& way) {
                           return way.param == PageMap::Way::Scan ? "Scan" : "Read";
                         });

}  // namespace
}  // namespace schemascript
