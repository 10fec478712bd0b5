// From positions in the bundle to positions in the TypeScript files that it was made of (source
// map, revision 3). Needed only when an error is shown, so nothing is decoded before.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace schemascript {

// What a bundle's source map says, still encoded.
struct SourceMapText {
  std::vector<std::string> sources;  // Absolute paths.
  std::string mappings;              // Base64 VLQ, as the field of that name.
};

// Lines and columns count from 1, columns in UTF-16 units, as V8 and editors have it.
struct SourcePosition {
  std::string_view file;  // One of `sources`: valid as long as the map.
  std::uint32_t line;
  std::uint32_t column;
};

// How a file is named to people: relative to the working directory, unless that is longer.
std::string displayPath(std::string_view absolutePath);

// Belongs to one thread.
class SourceMap {
 public:
  explicit SourceMap(SourceMapText text) noexcept : text_(std::move(text)) {}

  // What stands at a position of the bundle. Nothing for code that is in no source file, and for
  // everything behind an error in the mappings. The first call decodes.
  std::optional<SourcePosition> tryFind(std::uint32_t line, std::uint32_t column);

  // `text` with each `schemascript:app:LINE:COLUMN` that can be found replaced by
  // `file:LINE:COLUMN`. Text without any is looked through once and copied.
  std::string mapPositions(std::string_view text);

  // True when mapPositions() would have to look closer. The one cost of text that has no positions.
  static bool mentionsBundle(std::string_view text) noexcept;

 private:
  struct Segment {
    std::uint32_t bundleColumn;
    std::int32_t source;  // Negative: in no source file.
    std::uint32_t line;
    std::uint32_t column;
  };

  void decode();

  SourceMapText text_;
  bool decoded_ = false;
  std::vector<Segment> segments_;
  std::vector<std::size_t> lineStarts_;  // Where in `segments_` each line of the bundle begins.
};

}  // namespace schemascript
