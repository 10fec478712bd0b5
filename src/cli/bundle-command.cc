// `schemascript bundle`
#include <boost/json.hpp>
#include <system_error>

#include "base/file.h"
#include "cli/app.h"
#include "cli/commands.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;

// The folder of `output`, which must be there.
fs::path folderOf(const fs::path& output) {
  std::error_code failure;
  fs::path folder =
      fs::canonical(output.parent_path().empty() ? "." : output.parent_path(), failure);
  if (failure) {
    throw invalidRequest(str("cannot write ", output.string(), ": there is no folder ",
                             output.parent_path().string()));
  }
  return folder;
}

// Writing replaces what is there: not a device, and not what the bundle was made of.
void checkReplaceable(const fs::path& output, const std::vector<std::string>& sources) {
  std::error_code failure;
  const fs::file_status status = fs::symlink_status(output, failure);
  if (status.type() == fs::file_type::not_found) return;
  if (status.type() == fs::file_type::directory) {
    throw invalidRequest(str(output.string(), " is a folder; name a file in it"));
  }
  if (status.type() != fs::file_type::regular) {
    throw invalidRequest(str(output.string(),
                             " is not an ordinary file; without --output the bundle "
                             "goes to standard output"));
  }
  for (const std::string& source : sources) {
    if (fs::equivalent(output, source, failure)) {
      throw invalidRequest(
          str(output.string(), " is one of the files that the bundle is made of; name another"));
    }
  }
}

// Source map, revision 3 (ECMA-426), with the sources relative to `folder`.
std::string sourceMapFile(const SourceMapText& map, const fs::path& output,
                          const fs::path& folder) {
  boost::json::array sources;
  for (const std::string& source : map.sources) {
    sources.emplace_back(fs::path(source).lexically_proximate(folder).string());
  }
  return boost::json::serialize(boost::json::object{{"version", 3},
                                                    {"file", output.filename().string()},
                                                    {"sources", std::move(sources)},
                                                    {"names", boost::json::array()},
                                                    {"mappings", map.mappings}}) +
         '\n';
}

}  // namespace

ExitCode bundleCommand(const BundleCommand& command, Output& output) {
  Bundle bundle = bundleSource(command.file);
  if (!bundle.complaints.empty()) {
    writeToStandardError(bundle.complaints);
    return ExitCode::Usage;
  }
  if (command.output.empty()) {
    output.write(bundle.code);
    return ExitCode::Success;
  }
  const fs::path folder = folderOf(command.output);
  checkReplaceable(command.output, bundle.map.sources);
  if (command.sourceMap) {
    fs::path mapFile = command.output;
    mapFile += ".map";
    checkReplaceable(mapFile, bundle.map.sources);
    writeFileAtomically(mapFile, sourceMapFile(bundle.map, command.output, folder));
    if (!bundle.code.ends_with('\n')) bundle.code += '\n';
    bundle.code += str("//# sourceMappingURL=", mapFile.filename().string(), '\n');
  }
  writeFileAtomically(command.output, bundle.code);
  return ExitCode::Success;
}

}  // namespace schemascript
