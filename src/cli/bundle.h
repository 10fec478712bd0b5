// An app as the guest takes it: one ES module, made of FILE.ts and everything that it imports. Made
// by esbuild, and kept for the next time.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/source-map.h"

namespace schemascript {

struct BundleOptions {
  std::filesystem::path esbuild;      // The executable.
  std::filesystem::path cacheFolder;  // Made when missing. Empty, or not writable: nothing is kept.
  std::uint64_t cacheBytesMax = 64ull << 20;  // Thousands of small apps.
};

struct Bundle {
  // What is wrong with the source files, ready to be shown to people. Not empty: there is no
  // bundle.
  std::string complaints;
  std::string code;
  SourceMapText map;
  std::vector<std::string> files;  // Of which it was made, and the settings that counted: absolute.
};

// Bundles `file`, which must be a file; taken from the cache when none of its inputs changed. Any
// number of processes may do so at once. Throws InvalidRequest when `file` cannot be taken,
// Unavailable when esbuild cannot be run.
Bundle bundleApp(const std::filesystem::path& file, const BundleOptions& options);

}  // namespace schemascript
