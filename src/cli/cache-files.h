// What the program keeps in its cache folder. Others keep things there too, the build its compilers
// and downloads, so only files with a name of our own making are ever counted or removed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace schemascript {

// One kind of what is kept: files KEY EXTENSION in FOLDER, where KEY is of Hasher::hex().
struct CacheKind {
  std::string_view folder;
  std::string_view extension;
};
inline constexpr CacheKind kBundles{"bundles", ".bundle"};
inline constexpr CacheKind kSnapshots{"apps", ".snapshot"};

struct CacheFile {
  std::filesystem::path path;
  std::uint64_t bytes;
};

// cacheFolder(), or empty when there can be none.
std::filesystem::path tryCacheFolder();

// Those of `kind` below `cache`, in no order, with what a writer that was killed has left of them.
// None when the folder is missing. Throws Unavailable when it cannot be read.
std::vector<CacheFile> cacheFiles(const std::filesystem::path& cache, const CacheKind& kind);

// Removes `files`; programs that use them are not disturbed. Throws Unavailable when one cannot be
// removed, having tried all of them.
void removeCacheFiles(const std::vector<CacheFile>& files);

// Keeps the folder of `added`, which was just written there, within `bytesMax` by removing the
// oldest files. One of more than a quarter of that is removed itself, before it drives out the
// others. Failures are left for the next time.
void trimAround(const std::filesystem::path& added, std::uint64_t bytesMax) noexcept;

// True for KEY EXTENSION, and for the temporary file from which writeFileAtomically() makes one.
bool isCacheFileName(std::string_view name, std::string_view extension) noexcept;

}  // namespace schemascript
