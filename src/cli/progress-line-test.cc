// On a terminal (a pseudo terminal, read from its other side), and nowhere else.
#include "cli/progress-line.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>

#include "base/file.h"
#include "base/testing.h"

namespace schemascript {
namespace {

using namespace std::chrono_literals;

class Terminal {
 public:
  Terminal() : ours_(::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK)) {
    ::grantpt(ours_.get());
    ::unlockpt(ours_.get());
    theirs_ = FileDescriptor(::open(::ptsname(ours_.get()), O_RDWR | O_NOCTTY));
  }
  int file() const { return theirs_.get(); }
  std::string read() {
    std::array<char, 4096> buffer;
    const ssize_t size = ::read(ours_.get(), buffer.data(), buffer.size());
    return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : std::string();
  }

 private:
  FileDescriptor ours_;
  FileDescriptor theirs_;
};

TEST(ProgressLine, ShowsTheShareAndTakesItAway) {
  Terminal terminal;
  ASSERT_EQ(::isatty(terminal.file()), 1);
  const ProgressLine::Clock::time_point begin{};
  {
    ProgressLine line(terminal.file());
    line.showShare("copying", 1, 3, begin);
    EXPECT_EQ(terminal.read(), "\r\x1b[Kcopying  33 %");
    line.showShare("copying", 2, 3, begin + 99ms);
    EXPECT_EQ(terminal.read(), "");
    line.showShare("copying", 3, 3, begin + 100ms);
    EXPECT_EQ(terminal.read(), "\r\x1b[Kcopying 100 %");
  }
  EXPECT_EQ(terminal.read(), "\r\x1b[K");
}

TEST(ProgressLine, GivesWayToOtherOutput) {
  Terminal terminal;
  const ProgressLine::Clock::time_point begin{};
  ProgressLine line(terminal.file());
  line.hide();
  line.show("one", begin);
  line.hide();
  line.show(std::string(80, 'x'), begin + 1ms);
  EXPECT_EQ(terminal.read(), "\r\x1b[Kone\r\x1b[K\r\x1b[K" + std::string(79, 'x'));
}

TEST(ProgressLine, LeavesNoTraceWhereItShowedNothing) {
  Terminal terminal;
  {
    const ProgressLine line(terminal.file());
  }
  EXPECT_EQ(terminal.read(), "");
}

TEST(ProgressLine, WritesNothingIntoAFile) {
  const TemporaryFolder folder;
  const auto path = folder / "out";
  {
    const FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    ProgressLine line(file.get());
    line.showShare("copying", 1, 3);
    line.showShare("copying", 3, 3);
  }
  EXPECT_EQ(readFile(path), "");
}

}  // namespace
}  // namespace schemascript
