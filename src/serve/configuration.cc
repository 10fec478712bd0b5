#include "serve/configuration.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <limits>
#include <system_error>
#include <variant>

#include "base/error.h"
#include "base/file.h"
#include "base/memory-limit.h"
#include "base/suggest.h"
#include "base/units.h"
#include "serve/cron.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

// The wrong setting is named by whoever knows where it stands.
template <typename Action>
auto under(std::string_view name, Action&& action) {
  try {
    return action();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::InvalidRequest) throw;
    throw invalidRequest(str(name, ": ", error.message()));
  }
}

template <typename Value>
struct Word {
  std::string_view text;
  Value value;
};

template <typename Value, std::size_t count>
Value oneOf(std::string_view text, const std::array<Word<Value>, count>& words) {
  std::string all;
  for (const Word<Value>& word : words) {
    if (word.text == text) return word.value;
    all += str(all.empty() ? "" : ", ", word.text);
  }
  throw invalidRequest(str('"', text, "\" is none of ", all));
}

constexpr std::array<Word<Isolation>, 2> kIsolations{
    {{"request", Isolation::Request}, {"worker", Isolation::Worker}}};
constexpr std::array<Word<LogForm>, 4> kLogForms{{{"auto", LogForm::Automatic},
                                                  {"json", LogForm::Json},
                                                  {"text", LogForm::Text},
                                                  {"off", LogForm::Off}}};
constexpr std::array<Word<Schedule::Missed>, 2> kMissed{
    {{"run", Schedule::Missed::Run}, {"skip", Schedule::Missed::Skip}}};

// Limits.

using Milliseconds = std::chrono::milliseconds;
enum class Unit : std::uint8_t { Duration, Bytes, Count };

struct LimitField {
  std::string_view name;
  std::variant<Milliseconds Limits::*, std::uint64_t Limits::*, std::uint32_t Limits::*> field;
  Unit unit;
};

constexpr std::array kLimitFields{
    LimitField{"runTimeMax", &Limits::runTimeMax, Unit::Duration},
    LimitField{"fuelMax", &Limits::fuelMax, Unit::Count},
    LimitField{"memoryBytesMax", &Limits::memoryBytesMax, Unit::Bytes},
    LimitField{"heapBytesMax", &Limits::heapBytesMax, Unit::Bytes},
    LimitField{"timersMax", &Limits::timersMax, Unit::Count},
    LimitField{"logBytesMax", &Limits::logBytesMax, Unit::Bytes},
    LimitField{"sqlTimeMax", &Limits::sqlTimeMax, Unit::Duration},
    LimitField{"statementsMax", &Limits::statementsMax, Unit::Count},
    LimitField{"callRowsMax", &Limits::callRowsMax, Unit::Count},
    LimitField{"callResultBytesMax", &Limits::callResultBytesMax, Unit::Bytes},
    LimitField{"requestBytesMax", &Limits::requestBytesMax, Unit::Bytes},
    LimitField{"resultRowsMax", &Limits::resultRowsMax, Unit::Count},
    LimitField{"resultBytesMax", &Limits::resultBytesMax, Unit::Bytes},
    LimitField{"openTransactionsMax", &Limits::openTransactionsMax, Unit::Count},
    LimitField{"openCursorsMax", &Limits::openCursorsMax, Unit::Count},
    LimitField{"sqlBytesMax", &Limits::sqlBytesMax, Unit::Bytes},
    LimitField{"valueBytesMax", &Limits::valueBytesMax, Unit::Bytes},
    LimitField{"databaseBytesMax", &Limits::databaseBytesMax, Unit::Bytes},
    LimitField{"temporaryBytesMax", &Limits::temporaryBytesMax, Unit::Bytes},
    LimitField{"sqliteBytesMax", &Limits::sqliteBytesMax, Unit::Bytes},
    LimitField{"connectionsMax", &Limits::connectionsMax, Unit::Count},
    LimitField{"waitingWritersMax", &Limits::waitingWritersMax, Unit::Count},
    LimitField{"busyTimeMax", &Limits::busyTimeMax, Unit::Duration},
};

template <std::size_t count, typename Entries>
constexpr std::array<std::string_view, count> namesIn(const Entries& entries) {
  std::array<std::string_view, count> names;
  for (std::size_t i = 0; i < count; ++i) names[i] = entries[i].name;
  return names;
}

constexpr auto kLimitNames = namesIn<kLimitFields.size()>(kLimitFields);

const LimitField* tryFindLimit(std::string_view name) noexcept {
  const auto* const found =
      std::find_if(kLimitFields.begin(), kLimitFields.end(),
                   [name](const LimitField& limit) { return limit.name == name; });
  return found == kLimitFields.end() ? nullptr : found;
}

Error unknownName(std::string_view name, std::span<const std::string_view> known) {
  if (const auto nearest = tryFindNearest(name, known)) {
    return invalidRequest(str("unknown name \"", name, "\"; did you mean \"", *nearest, "\"?"));
  }
  std::string all;
  for (const std::string_view one : known) all += str(all.empty() ? "" : ", ", one);
  return invalidRequest(str("unknown name \"", name, "\"; there are ", all));
}

const LimitField& findLimit(std::string_view name) {
  if (const LimitField* const limit = tryFindLimit(name)) return *limit;
  throw unknownName(name, kLimitNames);
}

// What its field can hold.
std::uint64_t largestOf(const LimitField& limit) noexcept {
  if (std::holds_alternative<Milliseconds Limits::*>(limit.field)) {
    return 366ull * 24 * 60 * 60'000;  // As parseDuration() has it.
  }
  if (std::holds_alternative<std::uint32_t Limits::*>(limit.field)) {
    return std::numeric_limits<std::int32_t>::max();  // SQLite takes some of them as `int`.
  }
  return std::numeric_limits<std::int64_t>::max();
}

std::uint64_t checkedLimit(const LimitField& limit, std::uint64_t value) {
  if (value == 0) throw invalidRequest("it must be more than 0");
  if (value > largestOf(limit)) throw invalidRequest(str("it may be ", largestOf(limit)));
  return value;
}

std::uint64_t parseLimit(const LimitField& limit, std::string_view text) {
  if (limit.unit == Unit::Duration) {
    return checkedLimit(limit, static_cast<std::uint64_t>(parseDuration(text).count()));
  }
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, number);
  if (failure == std::errc{} && rest == end) return checkedLimit(limit, number);
  if (limit.unit == Unit::Bytes) return checkedLimit(limit, parseSize(text));
  throw invalidRequest(str('"', text, "\" is not a whole number"));
}

std::uint64_t valueOf(const LimitField& limit, const Limits& limits) {
  return std::visit(
      [&limits](auto field) {
        if constexpr (std::is_same_v<decltype(field), Milliseconds Limits::*>) {
          return static_cast<std::uint64_t>((limits.*field).count());
        } else {
          return static_cast<std::uint64_t>(limits.*field);
        }
      },
      limit.field);
}

void assign(const LimitField& limit, Limits& limits, std::uint64_t value) {
  std::visit(
      [&limits, value](auto field) {
        using Value = std::remove_reference_t<decltype(limits.*field)>;
        limits.*field = static_cast<Value>(value);
      },
      limit.field);
}

// JSON values, as what they should be.

std::string_view textOf(const json::value& value) {
  if (!value.is_string()) throw invalidRequest("it must be a string");
  const json::string& text = value.get_string();
  if (text.empty()) throw invalidRequest("it must not be empty");
  if (text.find('\0') != json::string::npos) throw invalidRequest("it must not hold a NUL");
  return text;
}

bool flagOf(const json::value& value) {
  if (!value.is_bool()) throw invalidRequest("it must be true or false");
  return value.get_bool();
}

std::uint64_t numberOf(const json::value& value, std::uint64_t least, std::uint64_t largest) {
  boost::system::error_code inexact;
  const auto number = value.to_number<std::uint64_t>(inexact);
  if (inexact || value.is_double() || number < least || number > largest) {
    throw invalidRequest(str("it must be a whole number from ", least, " to ", largest));
  }
  return number;
}

const json::object& objectOf(const json::value& value) {
  if (!value.is_object()) throw invalidRequest("it must be an object");
  return value.get_object();
}

// Settings.

class Reader;

struct Setting {
  std::string_view name;
  void (*read)(const Reader& reader, const json::value& value, Configuration& into);
};

class Reader {
 public:
  explicit Reader(const fs::path& folder) : folder_(folder) {}

  Configuration read(const json::object& settings) const;

  fs::path path(const json::value& value) const {
    return (folder_ / fs::path(textOf(value))).lexically_normal();
  }

  static std::uint16_t port(const json::value& value) {
    return static_cast<std::uint16_t>(numberOf(value, 0, 65'535));
  }

  static Configuration::LimitValues limits(const json::value& value) {
    Configuration::LimitValues limits;
    for (const auto& [key, limit] : objectOf(value)) {
      const LimitField& field = findLimit(key);
      limits[std::string(field.name)] =
          under(field.name, [&field, &limit = limit] { return readLimit(field, limit); });
    }
    return limits;
  }

  static std::vector<Schedule> schedules(const json::value& value) {
    if (!value.is_array()) throw invalidRequest("it must be an array");
    const json::array& all = value.get_array();
    if (all.size() > kSchedulesMax) {
      throw invalidRequest(str("there are ", all.size(), "; there may be ", kSchedulesMax));
    }
    std::vector<Schedule> schedules;
    for (const json::value& one : all) {
      schedules.push_back(under(str('[', schedules.size(), ']'), [&one] { return schedule(one); }));
    }
    return schedules;
  }

 private:
  static std::uint64_t readLimit(const LimitField& limit, const json::value& value) {
    if (value.is_string()) return parseLimit(limit, textOf(value));
    if (limit.unit == Unit::Duration) {
      throw invalidRequest("it must be a duration as a string, such as \"200ms\" or \"2s\"");
    }
    return numberOf(value, 1, largestOf(limit));
  }

  static Schedule schedule(const json::value& value) {
    constexpr std::array<std::string_view, 2> kNames{"cron", "missed"};
    Schedule schedule;
    for (const auto& [key, part] : objectOf(value)) {
      under(key, [&schedule, &key = key, &part = part, &kNames] {
        if (key == "cron") {
          schedule.cron = Cron(textOf(part)).text();
        } else if (key == "missed") {
          schedule.missed = oneOf(textOf(part), kMissed);
        } else {
          throw unknownName(key, kNames);
        }
      });
    }
    if (schedule.cron.empty()) throw invalidRequest("it needs a cron expression as \"cron\"");
    return schedule;
  }

  const fs::path& folder_;
};

using Value = json::value;

constexpr std::array kSettings{
    // For editors; it says where the schema is.
    Setting{"$schema", [](const Reader&, const Value& value, Configuration&) { textOf(value); }},
    Setting{"app", [](const Reader& reader, const Value& value,
                      Configuration& into) { into.app = reader.path(value); }},
    Setting{"db", [](const Reader& reader, const Value& value,
                     Configuration& into) { into.db = reader.path(value); }},
    Setting{"tenants", [](const Reader& reader, const Value& value,
                          Configuration& into) { into.tenants = reader.path(value); }},
    Setting{"tenantFrom",
            [](const Reader&, const Value& value, Configuration& into) {
              into.tenantFrom = parseTenantSource(textOf(value));
            }},
    Setting{"envFile", [](const Reader& reader, const Value& value,
                          Configuration& into) { into.envFile = reader.path(value); }},
    Setting{"address", [](const Reader&, const Value& value,
                          Configuration& into) { into.address = textOf(value); }},
    Setting{"port", [](const Reader& reader, const Value& value,
                       Configuration& into) { into.port = reader.port(value); }},
    Setting{"adminPort", [](const Reader& reader, const Value& value,
                            Configuration& into) { into.adminPort = reader.port(value); }},
    Setting{"threads",
            [](const Reader&, const Value& value, Configuration& into) {
              into.threads = static_cast<unsigned>(numberOf(value, 1, kServerThreadsMax));
            }},
    Setting{"isolation",
            [](const Reader&, const Value& value, Configuration& into) {
              into.isolation = parseIsolation(textOf(value));
            }},
    Setting{"push", [](const Reader&, const Value& value,
                       Configuration& into) { into.push = flagOf(value); }},
    Setting{"migrate", [](const Reader&, const Value& value,
                          Configuration& into) { into.migrate = flagOf(value); }},
    Setting{"log", [](const Reader&, const Value& value,
                      Configuration& into) { into.log = parseLogForm(textOf(value)); }},
    Setting{"schedules", [](const Reader& reader, const Value& value,
                            Configuration& into) { into.schedules = reader.schedules(value); }},
    Setting{"limits", [](const Reader& reader, const Value& value,
                         Configuration& into) { into.limits = reader.limits(value); }},
};

constexpr auto kSettingNames = namesIn<kSettings.size()>(kSettings);

Configuration Reader::read(const json::object& settings) const {
  Configuration configuration;
  for (const auto& [key, value] : settings) {
    const auto* const setting =
        std::find_if(kSettings.begin(), kSettings.end(),
                     [&key = key](const Setting& known) { return known.name == key; });
    if (setting == kSettings.end()) throw unknownName(key, kSettingNames);
    under(key, [this, setting, &value = value, &configuration] {
      setting->read(*this, value, configuration);
    });
  }
  return configuration;
}

// Throws InvalidRequest: the line, and what is wrong there.
json::value parseJson(std::string_view text) {
  json::stream_parser parser;
  boost::system::error_code wrong;
  const std::size_t read = parser.write_some(text.data(), text.size(), wrong);
  if (!wrong && read < text.size()) wrong = json::error::extra_data;
  if (!wrong) parser.finish(wrong);
  if (!wrong) return parser.release();
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(read, text.size()));
  throw invalidRequest(
      str("line ", 1 + std::count(text.begin(), end, '\n'), " is not JSON: ", wrong.message()));
}

template <typename Value>
void prefer(std::optional<Value>& value, const std::optional<Value>& stronger) {
  if (stronger) value = stronger;
}

}  // namespace

std::span<const std::string_view> settingNames() noexcept { return kSettingNames; }

std::span<const std::string_view> limitNames() noexcept { return kLimitNames; }

std::string defaultOfLimit(std::string_view name) {
  const LimitField& limit = findLimit(name);
  const std::uint64_t value = valueOf(limit, Limits{});
  switch (limit.unit) {
    case Unit::Duration:
      return formatDuration(Milliseconds(static_cast<std::int64_t>(value)));
    case Unit::Bytes:
      return formatSize(value);
    case Unit::Count:
      break;
  }
  return std::to_string(value);
}

Configuration parseConfiguration(std::string_view text, const fs::path& file) {
  return under(file.string(), [text, &file] {
    if (text.size() > kConfigurationBytesMax) {
      throw invalidRequest(
          str("it has ", text.size(), " bytes; it may have ", kConfigurationBytesMax));
    }
    const json::value document = parseJson(text);
    return Reader(file.parent_path()).read(objectOf(document));
  });
}

Configuration readConfiguration(const fs::path& file) {
  std::error_code unknown;
  const auto bytes = fs::file_size(file, unknown);
  if (!unknown && bytes > kConfigurationBytesMax) {
    throw invalidRequest(
        str(file.string(), ": it has ", bytes, " bytes; it may have ", kConfigurationBytesMax));
  }
  return parseConfiguration(readFile(file), file);
}

std::optional<fs::path> tryFindConfiguration(const fs::path& app) {
  const fs::path file = app.parent_path() / kConfigurationFile;
  std::error_code ignored;
  return fs::is_regular_file(file, ignored) ? std::optional(file) : std::nullopt;
}

TenantSource parseTenantSource(std::string_view text) {
  using Kind = TenantSource::Kind;
  constexpr std::string_view kHeader = "header:";
  if (text == "host") return {Kind::Host, {}};
  if (text == "path") return {Kind::Path, {}};
  if (text.starts_with(kHeader)) {
    std::string name(text.substr(kHeader.size()));
    // A token of RFC 9110, 5.6.2.
    constexpr std::string_view kTokenLetters =
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    if (!name.empty() && name.find_first_not_of(kTokenLetters) == std::string::npos) {
      for (char& letter : name) {
        if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
      }
      return {Kind::Header, std::move(name)};
    }
  }
  throw invalidRequest(
      str('"', text, "\" is none of host, path, header:NAME, such as header:x-tenant"));
}

Isolation parseIsolation(std::string_view text) { return oneOf(text, kIsolations); }

LogForm parseLogForm(std::string_view text) { return oneOf(text, kLogForms); }

void setLimit(Configuration& configuration, std::string_view name, std::string_view text) {
  const LimitField& limit = findLimit(name);
  configuration.limits[std::string(name)] =
      under(name, [&limit, text] { return parseLimit(limit, text); });
}

Configuration merge(Configuration weaker, const Configuration& stronger) {
  if (stronger.db && !stronger.tenants) weaker.tenants.reset(), weaker.tenantFrom.reset();
  if (stronger.tenants && !stronger.db) weaker.db.reset();
  prefer(weaker.app, stronger.app);
  prefer(weaker.db, stronger.db);
  prefer(weaker.tenants, stronger.tenants);
  prefer(weaker.envFile, stronger.envFile);
  prefer(weaker.tenantFrom, stronger.tenantFrom);
  prefer(weaker.address, stronger.address);
  prefer(weaker.port, stronger.port);
  prefer(weaker.adminPort, stronger.adminPort);
  prefer(weaker.threads, stronger.threads);
  prefer(weaker.isolation, stronger.isolation);
  prefer(weaker.push, stronger.push);
  prefer(weaker.migrate, stronger.migrate);
  prefer(weaker.log, stronger.log);
  prefer(weaker.schedules, stronger.schedules);
  for (const auto& [name, value] : stronger.limits) weaker.limits[name] = value;
  return weaker;
}

Limits limitsOf(const Configuration& configuration) {
  Limits limits;
  // The heap follows the memory, unless it is named itself.
  if (const auto memory = configuration.limits.find("memoryBytesMax");
      memory != configuration.limits.end()) {
    limits = withMemory(limits, memory->second, "limits.memoryBytesMax");
  }
  const std::uint64_t memoryBytes = limits.memoryBytesMax;
  for (const auto& [name, value] : configuration.limits) {
    if (name != "memoryBytesMax") assign(findLimit(name), limits, value);
  }
  if (limits.heapBytesMax > memoryBytes - kOutsideHeapBytesMin) {
    throw invalidRequest(str("limits.heapBytesMax is ", formatSize(limits.heapBytesMax),
                             "; with a memory of ", formatSize(memoryBytes), " it may be ",
                             formatSize(memoryBytes - kOutsideHeapBytesMin)));
  }
  return limits;
}

void checkTogether(const Configuration& configuration) {
  if (configuration.db && configuration.tenants) {
    throw invalidRequest("db is one database for all and tenants a folder of them; name one");
  }
  if (configuration.tenantFrom && !configuration.tenants) {
    throw invalidRequest("tenantFrom needs tenants, the folder of their databases");
  }
  if (configuration.tenants && !configuration.tenantFrom) {
    throw invalidRequest(
        "tenants needs tenantFrom, which says whose a request is: host, path or header:NAME");
  }
  if (configuration.port && configuration.adminPort && *configuration.port != 0 &&
      *configuration.port == *configuration.adminPort) {
    throw invalidRequest(str("port and adminPort are both ", *configuration.port));
  }
  limitsOf(configuration);
}

}  // namespace schemascript
