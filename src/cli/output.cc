// Output over write(2).
#include "cli/output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace schemascript {
namespace {

// Zero, or the error number.
int writeAll(int file, std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

}  // namespace

void Output::write(std::string_view text) {
  const int error = writeAll(file_, text);
  if (error == 0) return;
  closed_ = error == EPIPE;
  throw unavailable(
      str("cannot write to standard output: ", std::generic_category().message(error)));
}

void writeToStandardError(std::string_view text) noexcept { writeAll(STDERR_FILENO, text); }

void openStandardFiles() noexcept {
  for (const int file : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // The lowest free number is the one that is looked at.
    if (::fcntl(file, F_GETFD) < 0) ::open("/dev/null", O_RDWR);
  }
}

}  // namespace schemascript
