#include "serve/env-file.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "bridge/text.h"

namespace schemascript {
namespace {

constexpr std::string_view kBlanks = " \t\v\f";

bool isNameLetter(char letter) noexcept {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || letter == '_' || letter == '.' || letter == '-';
}

std::string_view trimmed(std::string_view text) noexcept {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

class EnvParser {
 public:
  EnvParser(std::string_view text, std::string_view file) : rest_(text), file_(file) {}

  std::string parse() {
    while (!rest_.empty()) {
      skipBlanks();
      if (rest_.empty()) break;
      if (rest_.front() != '\n' && rest_.front() != '#') parseSetting();
      endLine();
    }
    return json_.empty() ? "{}" : json_ + '}';
  }

 private:
  void parseSetting() {
    const std::size_t line = line_;
    const std::string_view name = takeName();
    const auto [earlier, isNew] = lines_.emplace(name, line);
    if (!isNew) {
      refuse(line, str(name, " was set in line ", earlier->second, " already; remove one of them"));
    }
    skipBlanks();
    const std::string value = takeValue();
    json_ += json_.empty() ? '{' : ',';
    append(name);
    json_ += ':';
    append(value);
  }

  // Not shown when it is wrong: it may be a part of a value that went over its line.
  std::string_view takeName() {
    constexpr std::string_view kExport = "export";
    if (rest_.starts_with(kExport) && rest_.size() > kExport.size() &&
        kBlanks.find(rest_[kExport.size()]) != std::string_view::npos) {
      rest_.remove_prefix(kExport.size());
      skipBlanks();
    }
    const auto* const end = std::find_if_not(rest_.begin(), rest_.end(), isNameLetter);
    const std::string_view name = take(static_cast<std::size_t>(end - rest_.begin()));
    skipBlanks();
    if (rest_.empty() || rest_.front() == '\n' || rest_.front() == '#') {
      refuse(line_, "there is no = in it; write NAME=value, or begin the line with #");
    }
    if (name.empty() || rest_.front() != '=') {
      refuse(line_,
             "what stands before the = is no name; it may have letters, digits, and the "
             "characters _ . -");
    }
    take(1);
    return name;
  }

  std::string takeValue() {
    if (!rest_.empty() && (rest_.front() == '"' || rest_.front() == '\'' || rest_.front() == '`')) {
      return takeQuoted();
    }
    return std::string(trimmed(take(std::min(rest_.find_first_of("#\n"), rest_.size()))));
  }

  std::string takeQuoted() {
    const std::size_t line = line_;
    const char quote = take(1).front();
    std::string value;
    for (;;) {
      if (rest_.empty()) {
        refuse(line, str("the quote ", quote, " that begins here has no end"));
      }
      const char letter = take(1).front();
      if (letter == quote) break;
      if (letter == '\\' && !rest_.empty()) {
        appendEscape(value, quote);
      } else {
        value += letter;
      }
    }
    skipBlanks();
    if (!rest_.empty() && rest_.front() != '\n' && rest_.front() != '#') {
      refuse(line_, str("there is something behind the quote ", quote,
                        " that ends the value; put the whole value between other quotes"));
    }
    return value;
  }

  // What follows a backslash. Between ' and ` it stands for itself, but keeps a quote from being
  // the end, as in dotenv.
  void appendEscape(std::string& value, char quote) {
    const char letter = rest_.front();
    const bool isDouble = quote == '"';
    const std::string_view from = isDouble ? "nrt\"\\" : std::string_view();
    const std::string_view to = "\n\r\t\"\\";
    if (const std::size_t at = from.find(letter); at != std::string_view::npos) {
      value += to[at];
      take(1);
      return;
    }
    value += '\\';
    if (letter == quote) {
      value += letter;
      take(1);
    }
  }

  // A comment, and the line's end.
  void endLine() {
    take(std::min(rest_.find('\n'), rest_.size()));
    if (!rest_.empty()) take(1);
  }

  void skipBlanks() { take(std::min(rest_.find_first_not_of(kBlanks), rest_.size())); }

  std::string_view take(std::size_t bytes) {
    const std::string_view taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    line_ += static_cast<std::size_t>(std::count(taken.begin(), taken.end(), '\n'));
    return taken;
  }

  void append(std::string_view text) { SS_CHECK(tryAppendJsonString(json_, text)); }

  [[noreturn]] void refuse(std::size_t line, std::string_view what) const {
    throw invalidRequest(str(file_, ':', line, ": ", what));
  }

  std::string_view rest_;
  const std::string_view file_;
  std::size_t line_ = 1;  // Of the first byte of `rest_`.
  std::map<std::string_view, std::size_t> lines_;
  std::string json_;
};

void refuseBytes(std::string_view text, std::string_view file) {
  const std::size_t zero = std::min(text.find('\0'), text.size());
  const std::size_t end = std::min(zero, utf8PrefixLength(text));
  if (end == text.size()) return;
  const auto line =
      1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), '\n');
  throw invalidRequest(str(file, ':', line, ": it is no text in UTF-8; save the file as that"));
}

}  // namespace

std::string parseEnvFile(std::string_view text, std::string_view file) {
  if (text.size() > kEnvFileBytesMax) {
    throw invalidRequest(str(file, " has ", text.size(), " bytes; it may have ", kEnvFileBytesMax));
  }
  refuseBytes(text, file);
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // As Windows begins its texts.
  // Lines may end in any way, as in dotenv.
  std::string lines;
  lines.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool isReturn = text[at] == '\r';
    lines += isReturn ? '\n' : text[at];
    if (isReturn && at + 1 < text.size() && text[at + 1] == '\n') ++at;
  }
  return EnvParser(lines, file).parse();
}

std::string readEnvFile(const std::filesystem::path& file) {
  std::error_code unknown;
  const auto bytes = std::filesystem::file_size(file, unknown);
  if (!unknown && bytes > kEnvFileBytesMax) {
    throw invalidRequest(
        str(file.string(), " has ", bytes, " bytes; it may have ", kEnvFileBytesMax));
  }
  return parseEnvFile(readFile(file), file.string());
}

}  // namespace schemascript
