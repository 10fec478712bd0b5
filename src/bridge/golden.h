// Reads the golden messages of test/golden/, for tests. requests.txt describes the format.
#pragma once

#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace schemascript {

struct GoldenCase {
  std::string name;
  std::string methods{};
  std::string error{};
  std::optional<std::string> json{};
  std::optional<std::string> binary{};
};

// One line of a `binary:` field: hexadecimal bytes, "text", and # before a comment.
inline void appendGoldenBytes(std::string& bytes, std::string_view line) {
  while (!line.empty() && line.front() != '#') {
    if (line.front() == ' ') {
      line.remove_prefix(1);
    } else if (line.front() == '"') {
      const std::size_t end = line.find('"', 1);
      if (end == line.npos) throw std::runtime_error("a golden text has no end");
      bytes += line.substr(1, end - 1);
      line.remove_prefix(end + 1);
    } else {
      bytes += static_cast<char>(std::stoi(std::string(line.substr(0, 2)), nullptr, 16));
      line.remove_prefix(2);
    }
  }
}

// The cases of SCHEMASCRIPT_SOURCE_DIR/test/golden/`file`.
inline std::vector<GoldenCase> goldenCases(std::string_view file) {
  const std::string path = SCHEMASCRIPT_SOURCE_DIR "/test/golden/" + std::string(file);
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  std::vector<GoldenCase> cases;
  for (std::string line; std::getline(in, line);) {
    const std::string_view view = line;
    if (view.empty() || view.starts_with('#')) continue;
    if (view.starts_with("== ")) {
      cases.push_back({.name = line.substr(3)});
    } else if (view.starts_with("json: ")) {
      cases.back().json = line.substr(6);
    } else if (view.starts_with("methods: ")) {
      cases.back().methods = line.substr(9);
    } else if (view.starts_with("error: ")) {
      cases.back().error = line.substr(7);
    } else if (view == "binary:") {
      cases.back().binary = "";
    } else if (view.starts_with("  ")) {
      appendGoldenBytes(cases.back().binary.value(), view);
    } else if (view != "by-hand: yes") {
      throw std::runtime_error("cannot read the line " + line);
    }
  }
  return cases;
}

}  // namespace schemascript
