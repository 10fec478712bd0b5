#include "guest-file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <sstream>
#include <utility>

#include "base/error.h"
#include "base/file.h"

namespace schemascript {
namespace {

constexpr std::array<std::pair<std::string_view, CallEnd>, 9> kEnds{{
    {"answered", CallEnd::Answered},
    {"threw", CallEnd::Threw},
    {"time", CallEnd::TimeExceeded},
    {"fuel", CallEnd::FuelExceeded},
    {"memory", CallEnd::MemoryExceeded},
    {"pending", CallEnd::NeverSettles},
    {"trapped", CallEnd::Trapped},
    {"missing", CallEnd::NoSuchExport},
    {"argument", CallEnd::BadArgument},
}};

// An attack that only time ends takes so long in every run.
constexpr std::chrono::milliseconds kRunTimeMax{200};

Error wrong(const std::string& line) {
  return invalidRequest("the comment of a hostile guest has the line: " + line);
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

// `name=value`
std::pair<std::string, std::string> setting(const std::string& word, const std::string& line) {
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos) throw wrong(line);
  return {word.substr(0, equals), word.substr(equals + 1)};
}

void setLimit(Limits& limits, const std::string& word, const std::string& line) {
  const auto [name, value] = setting(word, line);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) throw wrong(line);
  if (name == "runTimeMax") {
    limits.runTimeMax = std::chrono::milliseconds(number);
  } else if (name == "memoryBytesMax") {
    limits.memoryBytesMax = number;
  } else if (name == "heapBytesMax") {
    limits.heapBytesMax = number;
  } else if (name == "stackBytesMax") {
    limits.stackBytesMax = number;
  } else if (name == "resultBytesMax") {
    limits.resultBytesMax = number;
  } else if (name == "resultRowsMax") {
    limits.resultRowsMax = number;
  } else if (name == "valueBytesMax") {
    limits.valueBytesMax = static_cast<std::uint32_t>(number);
  } else if (name == "fuelMax") {
    limits.fuelMax = number;
  } else {
    throw wrong(line);
  }
}

void setRight(GuestFile& guest, const std::string& word, const std::string& line) {
  if (word == "read") {
    guest.readOnly = true;
    return;
  }
  const auto [name, value] = setting(word, line);
  if (name != "reads" && name != "writes") throw wrong(line);
  guest.isRestricted = true;
  (name == "reads" ? guest.reads : guest.writes) = split(value, ',');
}

// `call threw RangeError: invalid array length`, `load time`, `call answered [1,2]`
ExpectedEnd expectedEnd(const std::string& text, const std::string& line) {
  std::istringstream stream(text);
  std::string stage;
  std::string word;
  stream >> stage >> word >> std::ws;
  ExpectedEnd expected;
  expected.isLoading = stage == "load";
  if (!expected.isLoading && stage != "call") throw wrong(line);
  bool isKnown = false;
  for (const auto& [known, end] : kEnds) {
    if (known != word) continue;
    expected.end = end;
    isKnown = true;
  }
  if (!isKnown) throw wrong(line);
  std::getline(stream, expected.text);
  if (expected.end == CallEnd::Threw) {
    const std::size_t colon = expected.text.find(':');
    expected.name = expected.text.substr(0, colon);
    expected.text = colon == std::string::npos ? "" : expected.text.substr(colon + 2);
  }
  return expected;
}

void readLine(GuestFile& guest, const std::string& line) {
  const std::size_t colon = line.find(": ");
  if (!line.starts_with("// ") || colon == std::string::npos) {
    if (guest.attack.empty() || !guest.ends.empty()) throw wrong(line);
    return;  // A sentence that goes on.
  }
  const std::string key = line.substr(3, colon - 3);
  const std::string text = line.substr(colon + 2);
  if (key == "Attack") {
    guest.attack = text;
  } else if (key == "Limits") {
    for (const std::string& word : split(text, ' ')) setLimit(guest.limits, word, line);
  } else if (key == "May") {
    for (const std::string& word : split(text, ' ')) setRight(guest, word, line);
  } else if (key == "Database" && text == "file") {
    guest.inFile = true;
  } else if (key == "Ends") {
    guest.ends.push_back(expectedEnd(text, line));
  } else if (guest.attack.empty() || !guest.ends.empty()) {
    throw wrong(line);
  }
}

}  // namespace

GuestFile readGuestFile(const std::filesystem::path& path) {
  GuestFile guest;
  guest.limits.runTimeMax = kRunTimeMax;
  guest.source = readFile(path);
  std::istringstream lines(guest.source);
  for (std::string line; std::getline(lines, line) && line.starts_with("//");) {
    readLine(guest, line);
  }
  const bool timeMayEndIt = std::ranges::any_of(guest.ends, [](const ExpectedEnd& expected) {
    return expected.end == CallEnd::TimeExceeded;
  });
  if (!timeMayEndIt) guest.limits.runTimeMax = kRunTimeMaxOtherwise;
  if (guest.attack.empty() || guest.ends.empty()) throw wrong("(none that says how it ends)");
  return guest;
}

std::string_view wordOf(CallEnd end) {
  for (const auto& [word, known] : kEnds) {
    if (known == end) return word;
  }
  return "of an unknown kind";
}

}  // namespace schemascript
