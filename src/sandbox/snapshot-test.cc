#include "sandbox/snapshot.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <filesystem>
#include <vector>

#include "base/error.h"
#include "base/testing.h"

namespace schemascript {
namespace {

const std::string kHash(32, 'a');

class SnapshotFile : public testing::Test {
 protected:
  SnapshotFile() {
    std::vector<std::byte> memory(2 * kWasmPageBytes);
    memory[5] = std::byte{7};
    memory.back() = std::byte{9};
    Snapshot::write(path_, memory, kHash);
  }
  std::string refusal(std::string_view hash) const {
    try {
      const Snapshot snapshot(path_, hash);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::Unavailable);
      return error.message();
    }
    return "(accepted)";
  }

  const TemporaryFolder folder_;
  const std::string path_ = folder_ / "base.snapshot";
};

TEST_F(SnapshotFile, MapsPrivateCopies) {
  const Snapshot snapshot(path_, kHash);
  ASSERT_EQ(snapshot.pages(), 2u);
  const auto map = [] {
    return static_cast<std::byte*>(
        mmap(nullptr, 2 * kWasmPageBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  };
  std::byte* const one = map();
  std::byte* const other = map();
  snapshot.mapOver(one);
  snapshot.mapOver(other);
  one[5] = std::byte{100};
  EXPECT_EQ(other[5], std::byte{7});
  EXPECT_EQ(other[2 * kWasmPageBytes - 1], std::byte{9});
  snapshot.mapOver(one);
  EXPECT_EQ(one[5], std::byte{7});
  munmap(one, 2 * kWasmPageBytes);
  munmap(other, 2 * kWasmPageBytes);
}

TEST_F(SnapshotFile, RefusesAnotherGuest) {
  EXPECT_NE(refusal(std::string(32, 'b')).find("belongs to another build of the guest"),
            std::string::npos);
}

TEST_F(SnapshotFile, RefusesATruncatedFile) {
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) - 1);
  EXPECT_NE(refusal(kHash).find("is damaged"), std::string::npos);
  std::filesystem::resize_file(path_, 3);
  EXPECT_NE(refusal(kHash).find("is damaged"), std::string::npos);
}

TEST_F(SnapshotFile, RefusesAMissingFile) {
  std::filesystem::remove(path_);
  EXPECT_NE(refusal(kHash).find("cannot be read: No such file"), std::string::npos);
}

}  // namespace
}  // namespace schemascript
