// The file format of a cached bundle: the bundle, and what must still be as it was for the bundle
// to be right. One file holds all, so that it is replaced as a whole.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/esbuild.h"
#include "cli/source-map.h"

namespace schemascript {

// How something looked when the bundle was made.
struct Dependency {
  enum class Kind : char {
    File = 'f',     // The hash of its content; a missing file has one of its own.
    Names = 'n',    // The hash of the names in a folder that an import could mean.
    Changed = 'c',  // When a folder's list of names last changed: for large ones.
  };
  Kind kind;
  std::string path;
  std::string fingerprint;
};

struct CachedBundle {
  std::string code;
  SourceMapText map;
  std::vector<Dependency> dependencies;
};

// What the way from `output`'s imports to its files depends on: the files, each folder that has
// one, each tsconfig.json and package.json that was read or would be if it were there, and the
// node_modules folders on the way up.
std::vector<Dependency> dependenciesOf(const EsbuildOutput& output);

// The files among them that there are, and settings that would be read if they were there beside
// those: whoever wants to know of changes watches these.
std::vector<std::string> filesOf(const std::vector<Dependency>& dependencies);

// True when all are as they were.
bool isCurrent(const std::vector<Dependency>& dependencies);

std::string encodeBundle(const CachedBundle& bundle);
// Nothing when `text` is not exactly what encodeBundle() made: cut off, damaged, of another
// version.
std::optional<CachedBundle> tryDecodeBundle(std::string_view text);

// Removes the oldest files in `folder`, whatever they are, until the rest takes at most three
// quarters of `bytesMax`; nothing while all take no more than `bytesMax`. Failures are left for the
// next time.
void trimCache(const std::filesystem::path& folder, std::uint64_t bytesMax) noexcept;

}  // namespace schemascript
