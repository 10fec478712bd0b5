// What a server is told: schemascript.json and the options of the command line, which have the same
// names. docs/schemascript.schema.json describes the file for editors.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "http/limits.h"
#include "runtime/app.h"
#include "runtime/workers.h"

namespace schemascript {

inline constexpr std::string_view kConfigurationFile = "schemascript.json";
inline constexpr std::string_view kMigrationsFolder = "migrations";
inline constexpr std::size_t kConfigurationBytesMax = 1 << 20;
inline constexpr unsigned kServerThreadsMax = 1'024;
inline constexpr std::size_t kSchedulesMax = 100;

// Where a request says whose it is.
struct TenantSource {
  enum class Kind : std::uint8_t { Host, Path, Header };
  Kind kind = Kind::Host;
  std::string header{};  // In lower case; of Kind::Header only.

  bool operator==(const TenantSource&) const = default;
};

struct Schedule {
  // What becomes of a time at which the server was not there.
  enum class Missed : std::uint8_t { Skip, Run };
  std::string cron{};  // One that Cron takes.
  Missed missed = Missed::Skip;

  bool operator==(const Schedule&) const = default;
};

enum class LogForm : std::uint8_t { Automatic, Json, Text, Off };  // Automatic: text on a terminal.

// Every limit that a server has: those of one call of the app, and those of all together.
struct ServerLimits {
  Limits call{};
  HttpLimits http{};
  // Those of one tenant are 0 unless they are named: a part of what all have together, then.
  WorkersOptions workers{};
  // A request whose turn comes later is answered with 503.
  std::chrono::milliseconds queueTimeMax{10'000};
  // Databases of tenants that are open at the same time, and how long one stays so unused.
  std::size_t openTenantsMax = 1'000;
  std::chrono::milliseconds tenantIdleTimeMax{60'000};
};

// Everything may be left out. What it means then, defaultConfiguration() says.
struct Configuration {
  // Limits by their names: a duration in milliseconds, a size in bytes, a number.
  using LimitValues = std::map<std::string, std::uint64_t, std::less<>>;

  std::optional<std::filesystem::path> app{};
  std::optional<std::filesystem::path> db{};
  std::optional<std::filesystem::path> tenants{};  // A folder of databases, one for each.
  std::optional<std::filesystem::path> envFile{};
  std::optional<std::filesystem::path> migrations{};  // The folder.
  std::optional<TenantSource> tenantFrom{};
  std::optional<std::string> address{};
  std::optional<std::uint16_t> port{};  // 0: any that is free.
  std::optional<std::uint16_t> adminPort{};
  std::optional<unsigned> threads{};
  std::optional<Isolation> isolation{};
  std::optional<bool> push{};
  std::optional<bool> migrate{};
  std::optional<bool> readOnly{};
  std::optional<bool> showValues{};
  std::optional<bool> traceSql{};
  std::optional<LogForm> log{};
  // For requests that were begun when the server is to end.
  std::optional<std::chrono::milliseconds> grace{};
  std::optional<std::vector<Schedule>> schedules{};
  LimitValues limits{};

  bool operator==(const Configuration&) const = default;
};

// The names of the file's settings, and of those in its `limits`. Valid for ever.
std::span<const std::string_view> settingNames() noexcept;
std::span<const std::string_view> limitNames() noexcept;
// The default of a limit as the file would have it: `30s`, `64mb`, `1000`; empty where it follows
// from others. `name` is one of limitNames().
std::string defaultOfLimit(std::string_view name);

// Reads the text of `file`, whose folder relative paths begin at. Throws InvalidRequest: the file,
// the line or the setting, and what may stand there.
Configuration parseConfiguration(std::string_view text, const std::filesystem::path& file);
// parseConfiguration() of a file. Throws InvalidRequest also when it cannot be read or is too
// large.
Configuration readConfiguration(const std::filesystem::path& file);
// The file schemascript.json in the folder of `app`, if there is one.
std::optional<std::filesystem::path> tryFindConfiguration(const std::filesystem::path& app);

// For the command line. All throw InvalidRequest whose message begins with what was wrong: the
// caller puts the option's name before it.
TenantSource parseTenantSource(std::string_view text);
Isolation parseIsolation(std::string_view text);
LogForm parseLogForm(std::string_view text);
// `text` as in the file, and numbers as they are: `2s`, `64mb`, `1000`.
void setLimit(Configuration& configuration, std::string_view name, std::string_view text);

// `stronger` where it says something, else `weaker`; limits one by one, schedules all together.
// Where one of them names a database and the other one tenants, the stronger one's stands alone.
Configuration merge(Configuration weaker, const Configuration& stronger);

// What holds where nothing is said: of what always holds something, without limits.
Configuration defaultConfiguration();
// The threads that it asks for; as many as there are processors, if it does not.
unsigned threadsOf(const Configuration& configuration);

// All limits. Throws InvalidRequest when they do not go together.
ServerLimits serverLimitsOf(const Configuration& configuration);
// Those of the app alone.
Limits limitsOf(const Configuration& configuration);

// For people: a line for each setting and each limit that holds in the end, with its value and
// whether that is an option's, the file's (named by `source`) or the default.
std::string describeConfiguration(const Configuration& options, const Configuration& file,
                                  std::string_view source);
// Throws InvalidRequest when settings contradict each other.
void checkTogether(const Configuration& configuration);

}  // namespace schemascript
