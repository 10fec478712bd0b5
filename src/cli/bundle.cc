// The way through the cache: look, or make and keep.
#include "cli/bundle.h"

#include <sys/stat.h>

#include <ctime>
#include <optional>
#include <system_error>
#include <tuple>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "cli/bundle-cache.h"
#include "cli/esbuild.h"

namespace schemascript {
namespace {

// In nanoseconds since 1970, by the clock that file systems stamp files with.
std::int64_t fileClock() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

// True when `path` was changed at `begin` or later: then esbuild may have seen another content than
// we did.
bool changedSince(const std::string& path, std::int64_t begin) noexcept {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return false;
  return status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec >= begin;
}

// Names the entry: which app, made by what and how. What the app consists of is inside the entry.
std::string keyOf(const std::filesystem::path& entry, const std::filesystem::path& esbuild) {
  struct stat status{};
  if (::stat(esbuild.c_str(), &status) != 0) {
    throw unavailable(str("cannot find ", esbuild.string(), ", which belongs to this program"));
  }
  Hasher hasher;
  hasher.add(entry.native());
  hasher.add(esbuildOptions());
  // In place of its version: a different build of it has another size, or another time.
  for (const auto number :
       {static_cast<std::int64_t>(status.st_size), static_cast<std::int64_t>(status.st_mtim.tv_sec),
        static_cast<std::int64_t>(status.st_mtim.tv_nsec)}) {
    hasher.add(std::to_string(number));
  }
  return hasher.hex();
}

std::vector<std::string> filesOf(const std::vector<Dependency>& dependencies) {
  std::vector<std::string> files;
  for (const Dependency& dependency : dependencies) {
    if (dependency.kind == Dependency::Kind::File) files.push_back(dependency.path);
  }
  return files;
}

std::optional<CachedBundle> tryLoad(const std::filesystem::path& kept) {
  struct stat status{};
  if (::stat(kept.c_str(), &status) != 0) return std::nullopt;
  try {
    auto bundle = tryDecodeBundle(readFile(kept));
    if (bundle && isCurrent(bundle->dependencies)) return bundle;
  } catch (const Error&) {
    // Not readable, or removed just now: as if there were none.
  }
  return std::nullopt;
}

void keep(const std::filesystem::path& kept, const CachedBundle& bundle, std::uint64_t bytesMax) {
  try {
    std::filesystem::create_directories(kept.parent_path());
    writeFileAtomically(kept, encodeBundle(bundle));
    trimCache(kept.parent_path(), bytesMax);
  } catch (const std::exception&) {
    // A cache that cannot be written is no reason not to run.
  }
}

}  // namespace

Bundle bundleApp(const std::filesystem::path& file, const BundleOptions& options) {
  std::error_code failure;
  const std::filesystem::path entry = std::filesystem::canonical(file, failure);
  if (failure) throw invalidRequest(str("cannot open ", file.string(), ": ", failure.message()));
  const std::string key = keyOf(entry, options.esbuild);
  const auto kept = options.cacheFolder / (key + ".bundle");
  if (!options.cacheFolder.empty()) {
    if (auto cached = tryLoad(kept)) {
      return {{}, std::move(cached->code), std::move(cached->map), filesOf(cached->dependencies)};
    }
  }
  const std::int64_t begin = fileClock();
  EsbuildResult made = runEsbuild(options.esbuild, entry);
  if (!made.complaints.empty()) return {std::move(made.complaints), {}, {}, {}};
  std::vector<Dependency> dependencies = dependenciesOf(made.output);
  std::vector<std::string> files = filesOf(dependencies);
  if (!options.cacheFolder.empty()) {
    CachedBundle bundle{made.output.code, made.output.map, std::move(dependencies)};
    bool changed = false;
    for (const Dependency& dependency : bundle.dependencies) {
      changed = changed || changedSince(dependency.path, begin);
    }
    if (!changed) keep(kept, bundle, options.cacheBytesMax);
  }
  return {{}, std::move(made.output.code), std::move(made.output.map), std::move(files)};
}

}  // namespace schemascript
