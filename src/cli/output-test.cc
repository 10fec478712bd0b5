#include "cli/output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "base/file.h"

namespace schemascript {
namespace {

class OutputTest : public testing::Test {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);
    std::array<int, 2> ends;
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
    reader_ = FileDescriptor(ends[0]);
    writer_ = FileDescriptor(ends[1]);
  }

  std::string read() {
    std::array<char, 256> buffer;
    const ssize_t size = ::read(reader_.get(), buffer.data(), buffer.size());
    return size < 0 ? std::string() : std::string(buffer.data(), static_cast<std::size_t>(size));
  }

  FileDescriptor reader_;
  FileDescriptor writer_;
};

TEST_F(OutputTest, HandsOverAtOnce) {
  Output output(writer_.get());
  output.write("one");
  EXPECT_EQ(read(), "one");
  output.write("\ntwo\n");
  EXPECT_EQ(read(), "\ntwo\n");
  output.write("");
  EXPECT_EQ(read(), "");
}

TEST_F(OutputTest, KnowsThatNobodyReads) {
  Output output(writer_.get());
  {
    const FileDescriptor closed(std::move(reader_));
  }
  EXPECT_THROW(output.write("x"), Error);
  EXPECT_TRUE(output.isClosed());
}

TEST(Output, SaysThatTheDiskIsFull) {
  const FileDescriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(full.isOpen());
  Output output(full.get());
  try {
    output.write("x");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unavailable);
    EXPECT_EQ(error.message(), "cannot write to standard output: No space left on device");
  }
  EXPECT_FALSE(output.isClosed());
}

}  // namespace
}  // namespace schemascript
