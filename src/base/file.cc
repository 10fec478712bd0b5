// Files as the host itself uses them, over POSIX.
#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "base/error.h"

namespace schemascript {
namespace {

std::string reasonOf(int error) { return std::generic_category().message(error); }

// The variable's value; empty when it is not set, which the callers treat alike.
std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

// Zero, or the error number.
int writeAll(int file, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

}  // namespace

FileDescriptor::~FileDescriptor() {
  if (raw_ >= 0) ::close(raw_);
}

std::string readFile(const std::filesystem::path& file) {
  const FileDescriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!descriptor.isOpen()) {
    throw invalidRequest(str("cannot open ", file.string(), ": ", reasonOf(errno)));
  }
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) {
    throw invalidRequest(str("cannot read ", file.string(), ": ", reasonOf(errno)));
  }
  // One byte more than the file has, so that its end is seen without growing.
  std::string content(static_cast<std::size_t>(status.st_size) + 1, '\0');
  std::size_t size = 0;
  for (;;) {
    const ssize_t count = ::read(descriptor.get(), content.data() + size, content.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw invalidRequest(str("cannot read ", file.string(), ": ", reasonOf(errno)));
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
    if (size == content.size()) content.resize(size * 2);
  }
  content.resize(size);
  return content;
}

void writeFileAtomically(const std::filesystem::path& file, std::string_view bytes) {
  // In the same folder, because a rename does not cross file systems.
  std::string temporary = str(file.string(), ".XXXXXX");
  FileDescriptor descriptor(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!descriptor.isOpen()) {
    throw unavailable(str("cannot create a file beside ", file.string(), ": ", reasonOf(errno)));
  }
  int error = writeAll(descriptor.get(), bytes);
  // mkostemp() made it readable for the owner only; a cache may be shared.
  if (error == 0 && ::fchmod(descriptor.get(), 0644) != 0) error = errno;
  if (error == 0 && ::rename(temporary.c_str(), file.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(temporary.c_str());
    throw unavailable(str("cannot write ", file.string(), ": ", reasonOf(error)));
  }
}

std::filesystem::path cacheFolder() {
  if (const auto own = environment("SCHEMASCRIPT_CACHE"); !own.empty()) return own;
  if (const auto cache = environment("XDG_CACHE_HOME"); !cache.empty()) {
    return std::filesystem::path(cache) / "schemascript";
  }
  if (const auto home = environment("HOME"); !home.empty()) {
    return std::filesystem::path(home) / ".cache" / "schemascript";
  }
  throw invalidRequest("there is no folder for the cache; set SCHEMASCRIPT_CACHE to one");
}

}  // namespace schemascript
