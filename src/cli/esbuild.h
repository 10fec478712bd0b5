// One run of esbuild, as a child process: TypeScript files in, one ES module out.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/source-map.h"
#include "serve/problem.h"

namespace schemascript {

// An import that esbuild followed to a file.
struct FollowedImport {
  std::string importer;   // Absolute path.
  std::string specifier;  // As it is written: `./helper`, `left-pad`.
};

struct EsbuildOutput {
  std::string code;
  SourceMapText map;
  std::vector<std::string> inputs;  // Absolute paths of the files that went in.
  std::vector<FollowedImport> imports;
};

struct EsbuildResult {
  // What is wrong with the source files, ready to be shown to people; empty when nothing is. Then
  // only the output counts.
  std::string complaints;
  // The same, one by one, and the absolute paths of the files that they are about.
  std::vector<Problem> problems{};
  std::vector<std::string> files{};
  EsbuildOutput output{};
};

// Everything that decides, beside the files, what comes out. Caches count it to their keys.
std::string esbuildOptions();

// Bundles `entry`, an absolute path without symbolic links. Writes no file. Throws Unavailable when
// esbuild cannot be run, InvalidRequest for a name that it cannot take.
EsbuildResult runEsbuild(const std::filesystem::path& executable,
                         const std::filesystem::path& entry);

// Our words for what esbuild wrote to standard error: positions relative to the working directory,
// the source line with a caret, and advice where an import cannot work here. `folder` is what
// esbuild's paths are relative to. The output stays empty.
EsbuildResult readEsbuildErrors(std::string_view text, const std::filesystem::path& folder);

}  // namespace schemascript
