#include "cli/cache-files.h"

#include <algorithm>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "cli/bundle-cache.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kKeySize = 32;
constexpr std::size_t kTemporarySize = 7;  // A dot, and what mkostemp() chose.

bool isHexadecimal(char letter) noexcept {
  return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f');
}

bool isLetterOrDigit(char letter) noexcept {
  return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') ||
         (letter >= 'A' && letter <= 'Z');
}

}  // namespace

fs::path tryCacheFolder() {
  try {
    return cacheFolder();
  } catch (const Error&) {
    return {};  // No home.
  }
}

bool isCacheFileName(std::string_view name, std::string_view extension) noexcept {
  if (name.size() < kKeySize) return false;
  const std::string_view key = name.substr(0, kKeySize);
  std::string_view rest = name.substr(kKeySize);
  if (!std::all_of(key.begin(), key.end(), isHexadecimal) || !rest.starts_with(extension)) {
    return false;
  }
  rest.remove_prefix(extension.size());
  if (rest.empty()) return true;
  return rest.size() == kTemporarySize && rest.front() == '.' &&
         std::all_of(rest.begin() + 1, rest.end(), isLetterOrDigit);
}

std::vector<CacheFile> cacheFiles(const fs::path& cache, const CacheKind& kind) {
  std::vector<CacheFile> files;
  const fs::path folder = cache / kind.folder;
  std::error_code failure;
  fs::directory_iterator entry(folder, failure);
  for (; !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
    if (!isCacheFileName(entry->path().filename().native(), kind.extension)) continue;
    std::error_code gone;
    if (entry->symlink_status(gone).type() != fs::file_type::regular || gone) continue;
    const std::uint64_t bytes = entry->file_size(gone);
    if (!gone) files.push_back({entry->path(), bytes});
  }
  if (failure && failure != std::errc::no_such_file_or_directory) {
    throw unavailable(str("cannot read the folder ", folder.string(), ": ", failure.message()));
  }
  return files;
}

void removeCacheFiles(const std::vector<CacheFile>& files) {
  std::string failed;
  for (const CacheFile& file : files) {
    std::error_code failure;
    fs::remove(file.path, failure);
    if (failure && failed.empty()) {
      failed = str("cannot remove ", file.path.string(), ": ", failure.message());
    }
  }
  if (!failed.empty()) throw unavailable(failed);
}

void trimAround(const fs::path& added, std::uint64_t bytesMax) noexcept {
  std::error_code failure;
  const std::uint64_t bytes = fs::file_size(added, failure);
  if (!failure && bytes > bytesMax / 4) fs::remove(added, failure);
  trimCache(added.parent_path(), bytesMax);
}

}  // namespace schemascript
