#include "sandbox/snapshot.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/testing.h"

namespace schemascript {
namespace {

const std::string kInputs(32, 'a');
constexpr std::size_t kBytes = 20 * kWasmPageBytes;
constexpr std::size_t kFarAway = kBytes - 100;  // In a part of its own.

std::byte* newMemory() {
  return static_cast<std::byte*>(
      mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

Snapshot newSnapshot() {
  std::vector<std::byte> memory(kBytes);
  memory[5] = std::byte{7};
  memory[10 * kPageBytes] = std::byte{8};
  memory[kFarAway] = std::byte{9};
  const PageRun all{0, kBytes};
  return Snapshot(memory, {&all, 1}, {.stackPointer = 4242}, kInputs);
}

// Two guests' worth of memory, as a snapshot sees it.
class Image : public testing::Test {
 protected:
  Image() : one_(newMemory()), other_(newMemory()) {}
  ~Image() override {
    munmap(one_, kBytes);
    munmap(other_, kBytes);
  }

  const Snapshot snapshot_ = newSnapshot();
  std::byte* const one_;
  std::byte* const other_;
};

TEST_F(Image, IsMappedAsPrivateCopies) {
  ASSERT_EQ(snapshot_.memoryBytes(), kBytes);
  EXPECT_EQ(snapshot_.globals().stackPointer, 4242u);
  snapshot_.mapOver(one_);
  snapshot_.mapOver(other_);
  one_[5] = std::byte{100};
  EXPECT_EQ(other_[5], std::byte{7});
  EXPECT_EQ(other_[10 * kPageBytes], std::byte{8});
  EXPECT_EQ(other_[kFarAway], std::byte{9});
  EXPECT_FALSE(snapshot_.firstDifference(other_));
  EXPECT_EQ(snapshot_.firstDifference(one_), 5u);
}

TEST_F(Image, IsMappedAgainOverWhatWasWritten) {
  snapshot_.mapOver(one_);
  std::memset(one_, 0x55, kBytes);
  snapshot_.mapOver(one_);
  EXPECT_FALSE(snapshot_.firstDifference(one_));
}

TEST_F(Image, IsCopiedBackPageByPage) {
  snapshot_.mapOver(one_);
  std::memset(one_, 0x55, kBytes);
  snapshot_.copyBack(one_, {0, kPageBytes});
  EXPECT_EQ(snapshot_.firstDifference(one_), kPageBytes);
  // Across the end of a part, and into the next.
  snapshot_.copyBack(one_, {kPageBytes, kBytes - 2 * kPageBytes});
  EXPECT_EQ(snapshot_.firstDifference(one_), kBytes - kPageBytes);
  snapshot_.copyBack(one_, {kBytes - kPageBytes, kPageBytes});
  EXPECT_FALSE(snapshot_.firstDifference(one_));
}

TEST_F(Image, NoticesAByteInWhatIsZero) {
  snapshot_.mapOver(one_);
  one_[kFarAway - 2 * kPageBytes] = std::byte{1};
  EXPECT_EQ(snapshot_.firstDifference(one_), kFarAway - 2 * kPageBytes);
}

TEST_F(Image, TakesMoreScatteredPagesThanItHasParts) {
  constexpr std::size_t kMany = 100;
  constexpr std::size_t kStride = 512 * 1024;
  std::vector<std::byte> memory(kMany * kStride);
  for (std::size_t index = 0; index < kMany; ++index) {
    memory[index * kStride] = static_cast<std::byte>(index + 1);
  }
  const PageRun all{0, memory.size()};
  const Snapshot scattered(memory, {&all, 1}, {}, kInputs);
  EXPECT_FALSE(scattered.firstDifference(memory.data()));
  memory[(kMany - 1) * kStride] = std::byte{0};
  EXPECT_EQ(scattered.firstDifference(memory.data()), (kMany - 1) * kStride);
}

class SnapshotFile : public testing::Test {
 protected:
  SnapshotFile() { newSnapshot().writeTo(path_); }

  std::string refusal(std::string_view inputs) const {
    EXPECT_FALSE(Snapshot::tryLoad(path_, inputs));
    const Error error = errorOf([&] { const Snapshot snapshot(path_, inputs); });
    EXPECT_EQ(error.code(), ErrorCode::Unavailable);
    return error.message();
  }

  void flip(std::size_t offset) const {
    std::string content = readFile(path_);
    content.at(offset) = static_cast<char>(content[offset] ^ 1);
    std::ofstream(path_, std::ios::binary) << content;
  }

  const TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_ / "app.snapshot";
};

TEST_F(SnapshotFile, HoldsTheSame) {
  std::byte* const memory = newMemory();
  for (const bool mapped : {true, false}) {
    const Snapshot snapshot =
        mapped ? Snapshot(path_, kInputs) : std::move(Snapshot::tryLoad(path_, kInputs).value());
    EXPECT_EQ(snapshot.globals().stackPointer, 4242u);
    snapshot.mapOver(memory);
    EXPECT_FALSE(newSnapshot().firstDifference(memory));
    memory[5] = std::byte{100};
  }
  munmap(memory, kBytes);
}

// The file is mapped; who replaces or removes it disturbs nobody.
TEST_F(SnapshotFile, OfACacheOutlivesItsName) {
  std::byte* const memory = newMemory();
  const auto snapshot = Snapshot::tryLoad(path_, kInputs);
  ASSERT_TRUE(snapshot);
  writeFileAtomically(path_, "something else");
  snapshot->mapOver(memory);
  std::filesystem::remove(path_);
  EXPECT_FALSE(snapshot->firstDifference(memory));
  EXPECT_FALSE(newSnapshot().firstDifference(memory));
  munmap(memory, kBytes);
}

TEST_F(SnapshotFile, OfACacheIsNoOtherKindOfFile) {
  std::filesystem::remove(path_);
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_FALSE(Snapshot::tryLoad(path_, kInputs));
  std::filesystem::remove(path_);
  std::filesystem::create_directory(path_);
  EXPECT_FALSE(Snapshot::tryLoad(path_, kInputs));
}

TEST_F(SnapshotFile, LeavesOutWhatIsZero) {
  EXPECT_EQ(std::filesystem::file_size(path_), (1 + 11 + 1) * kPageBytes);
}

TEST_F(SnapshotFile, RefusesOtherInputs) {
  EXPECT_NE(refusal(std::string(32, 'b')).find("belongs to another build of the guest"),
            std::string::npos);
}

TEST_F(SnapshotFile, RefusesATruncatedFile) {
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) - 1);
  EXPECT_NE(refusal(kInputs).find("is damaged"), std::string::npos);
  std::filesystem::resize_file(path_, 3);
  EXPECT_NE(refusal(kInputs).find("is damaged"), std::string::npos);
}

TEST_F(SnapshotFile, RefusesAMissingFile) {
  std::filesystem::remove(path_);
  EXPECT_NE(refusal(kInputs).find("cannot be read: No such file"), std::string::npos);
}

TEST_F(SnapshotFile, OfACacheIsRefusedForOneBit) {
  // Magic, inputs, checksum, stack pointer, pages, a part; the first byte of the image, and the
  // last.
  const std::size_t size = std::filesystem::file_size(path_);
  for (const std::size_t offset : {std::size_t{0}, std::size_t{8}, std::size_t{40}, std::size_t{72},
                                   std::size_t{80}, std::size_t{96}, kPageBytes, size - 1}) {
    flip(offset);
    EXPECT_FALSE(Snapshot::tryLoad(path_, kInputs)) << offset;
    flip(offset);
  }
  EXPECT_TRUE(Snapshot::tryLoad(path_, kInputs));
}

}  // namespace
}  // namespace schemascript
