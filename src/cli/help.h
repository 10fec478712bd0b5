// The texts of --help and --version.
#pragma once

#include <string>
#include <string_view>

namespace schemascript {

// Valid for ever. Each ends with a newline.
std::string_view programHelp() noexcept;
std::string_view runHelp() noexcept;
std::string_view pushHelp() noexcept;
std::string_view pullHelp() noexcept;
std::string_view generateHelp() noexcept;
std::string_view mergeHelp() noexcept;
std::string_view diffHelp() noexcept;
std::string_view migrateHelp() noexcept;
std::string_view rollbackHelp() noexcept;
std::string_view statusHelp() noexcept;
std::string_view compileHelp() noexcept;
std::string_view evaluateHelp() noexcept;
std::string_view callHelp() noexcept;
std::string_view bundleHelp() noexcept;
std::string_view cacheHelp() noexcept;
std::string_view backupHelp() noexcept;
std::string_view restoreHelp() noexcept;
std::string_view serveHelp() noexcept;
std::string_view devHelp() noexcept;

// This program's version, and below it those of the parts that decide how it behaves.
std::string versionText();

}  // namespace schemascript
