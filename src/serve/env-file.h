// `.env` files: the settings and secrets that a server gives its app as `env`.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace schemascript {

// More is no list of settings. The app's guest has to hold all of it.
inline constexpr std::size_t kEnvFileBytesMax = 1 << 20;

// The JSON object of what `text` sets, every value a string, in the order of the file. The format
// is that of the npm package dotenv 16 (https://github.com/motdotla/dotenv, lib/main.js):
//
//     # A comment, also behind a value
//     NAME=value                  blanks around it do not count; it ends at #
//     export NAME='as it is'      also between ` `, and over several lines
//     NAME="with\nescapes"        \n, \r and, beyond dotenv, \t, \" and \\; over several lines
//
// Nothing is put in for $NAME. Where dotenv would silently skip a line, keep a quote that has no
// end, or let the second of two values win, this throws InvalidRequest: `file` as it is given, the
// number of the line, and never a value.
std::string parseEnvFile(std::string_view text, std::string_view file);

// parseEnvFile() of a file. Throws InvalidRequest also when it cannot be read or is too large.
std::string readEnvFile(const std::filesystem::path& file);

}  // namespace schemascript
