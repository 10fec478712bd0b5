// `schemascript cache`
#include "base/file.h"
#include "base/units.h"
#include "cli/cache-files.h"
#include "cli/commands.h"
#include "cli/text.h"

namespace schemascript {
namespace {

struct Use {
  std::size_t files = 0;
  std::uint64_t bytes = 0;
};

Use useOf(const std::vector<CacheFile>& files) {
  Use use{files.size(), 0};
  for (const CacheFile& file : files) use.bytes += file.bytes;
  return use;
}

// `3 bundles, 1.2mb`
std::string describe(const Use& use, std::string_view one) {
  return str(use.files, ' ', one, use.files == 1 ? "" : "s", ", ", formatRoughSize(use.bytes));
}

struct Listing {
  std::vector<CacheFile> bundles;
  std::vector<CacheFile> snapshots;
};

Listing list(const std::filesystem::path& cache) {
  return {cacheFiles(cache, kBundles), cacheFiles(cache, kSnapshots)};
}

void show(const std::filesystem::path& cache, Output& output) {
  const Listing listing = list(cache);
  output.write(str(printable(cache.string()), '\n', "  ",
                   describe(useOf(listing.bundles), "bundle"), '\n', "  ",
                   describe(useOf(listing.snapshots), "app snapshot"), '\n'));
}

void clean(const std::filesystem::path& cache, bool dryRun, Output& output) {
  Listing listing = list(cache);
  std::vector<CacheFile>& files = listing.bundles;
  files.insert(files.end(), listing.snapshots.begin(), listing.snapshots.end());
  if (!dryRun) removeCacheFiles(files);
  output.write(str(dryRun ? "would remove " : "removed ", describe(useOf(files), "file"), '\n'));
}

}  // namespace

ExitCode cacheCommand(const CacheCommand& command, Output& output) {
  const std::filesystem::path cache = cacheFolder();
  switch (command.action) {
    case CacheCommand::Action::Show:
      show(cache, output);
      break;
    case CacheCommand::Action::ShowPath:
      output.write(str(cache.string(), '\n'));
      break;
    case CacheCommand::Action::Clean:
      clean(cache, command.dryRun, output);
      break;
  }
  return ExitCode::Success;
}

}  // namespace schemascript
