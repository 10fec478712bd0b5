#include "serve/configuration.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <limits>
#include <system_error>
#include <thread>
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

template <auto part, auto field>
auto& at(ServerLimits& limits) noexcept {
  return limits.*part.*field;
}
template <auto field>
auto& own(ServerLimits& limits) noexcept {
  return limits.*field;
}

struct LimitField {
  using Time = Milliseconds& (*)(ServerLimits&) noexcept;
  using Large = std::uint64_t& (*)(ServerLimits&) noexcept;
  using Small = std::uint32_t& (*)(ServerLimits&) noexcept;

  std::string_view name;
  std::variant<Time, Large, Small> field;
  Unit unit;
  std::uint64_t least = 1;
  std::uint64_t largest = 0;  // 0: what the field can hold.
};

// Those with a largest value of their own are as SQLite, or a thread's stack, can bear them.
constexpr std::array kLimitFields{
    LimitField{"runTimeMax", at<&ServerLimits::call, &Limits::runTimeMax>, Unit::Duration},
    LimitField{"fuelMax", at<&ServerLimits::call, &Limits::fuelMax>, Unit::Count},
    LimitField{"memoryBytesMax", at<&ServerLimits::call, &Limits::memoryBytesMax>, Unit::Bytes},
    LimitField{"heapBytesMax", at<&ServerLimits::call, &Limits::heapBytesMax>, Unit::Bytes},
    LimitField{"timersMax", at<&ServerLimits::call, &Limits::timersMax>, Unit::Count},
    LimitField{"logBytesMax", at<&ServerLimits::call, &Limits::logBytesMax>, Unit::Bytes},
    LimitField{"sqlTimeMax", at<&ServerLimits::call, &Limits::sqlTimeMax>, Unit::Duration},
    LimitField{"statementsMax", at<&ServerLimits::call, &Limits::statementsMax>, Unit::Count},
    LimitField{"callRowsMax", at<&ServerLimits::call, &Limits::callRowsMax>, Unit::Count},
    LimitField{"callResultBytesMax", at<&ServerLimits::call, &Limits::callResultBytesMax>,
               Unit::Bytes},
    LimitField{"requestBytesMax", at<&ServerLimits::call, &Limits::requestBytesMax>, Unit::Bytes},
    LimitField{"resultRowsMax", at<&ServerLimits::call, &Limits::resultRowsMax>, Unit::Count},
    LimitField{"resultBytesMax", at<&ServerLimits::call, &Limits::resultBytesMax>, Unit::Bytes},
    LimitField{"openTransactionsMax", at<&ServerLimits::call, &Limits::openTransactionsMax>,
               Unit::Count},
    LimitField{"openCursorsMax", at<&ServerLimits::call, &Limits::openCursorsMax>, Unit::Count},
    LimitField{"sqlBytesMax", at<&ServerLimits::call, &Limits::sqlBytesMax>, Unit::Bytes},
    LimitField{"valueBytesMax", at<&ServerLimits::call, &Limits::valueBytesMax>, Unit::Bytes},
    LimitField{"databaseBytesMax", at<&ServerLimits::call, &Limits::databaseBytesMax>, Unit::Bytes},
    LimitField{"temporaryBytesMax", at<&ServerLimits::call, &Limits::temporaryBytesMax>,
               Unit::Bytes},
    LimitField{"sqliteBytesMax", at<&ServerLimits::call, &Limits::sqliteBytesMax>, Unit::Bytes},
    LimitField{"connectionsMax", at<&ServerLimits::call, &Limits::connectionsMax>, Unit::Count},
    LimitField{"waitingWritersMax", at<&ServerLimits::call, &Limits::waitingWritersMax>,
               Unit::Count},
    LimitField{"busyTimeMax", at<&ServerLimits::call, &Limits::busyTimeMax>, Unit::Duration},
    LimitField{"stackBytesMax", at<&ServerLimits::call, &Limits::stackBytesMax>, Unit::Bytes,
               64 << 10, Limits{}.stackBytesMax},
    LimitField{"batchParametersMax", at<&ServerLimits::call, &Limits::batchParametersMax>,
               Unit::Count},
    LimitField{"cursorBatchBytes", at<&ServerLimits::call, &Limits::cursorBatchBytes>, Unit::Bytes},
    LimitField{"cursorBatchRowsMax", at<&ServerLimits::call, &Limits::cursorBatchRowsMax>,
               Unit::Count},
    LimitField{"columnsMax", at<&ServerLimits::call, &Limits::columnsMax>, Unit::Count, 1,
               Limits{}.columnsMax},
    LimitField{"parametersMax", at<&ServerLimits::call, &Limits::parametersMax>, Unit::Count, 1,
               Limits{}.parametersMax},
    LimitField{"likePatternBytesMax", at<&ServerLimits::call, &Limits::likePatternBytesMax>,
               Unit::Bytes, 1, 50'000},
    LimitField{"cachedStatementsMax", at<&ServerLimits::call, &Limits::cachedStatementsMax>,
               Unit::Count},
    LimitField{"cachedSqlBytesMax", at<&ServerLimits::call, &Limits::cachedSqlBytesMax>,
               Unit::Bytes},
    LimitField{"schemaStatementsMax", at<&ServerLimits::call, &Limits::schemaStatementsMax>,
               Unit::Count},
    LimitField{"schemaTriggersMax", at<&ServerLimits::call, &Limits::schemaTriggersMax>,
               Unit::Count, 1, Limits{}.schemaTriggersMax},
    LimitField{"nestedTriggersMax", at<&ServerLimits::call, &Limits::nestedTriggersMax>,
               Unit::Count, 1, Limits{}.nestedTriggersMax},
    LimitField{"schemaViewsMax", at<&ServerLimits::call, &Limits::schemaViewsMax>, Unit::Count, 1,
               Limits{}.schemaViewsMax},
    LimitField{"schemaTokensMax", at<&ServerLimits::call, &Limits::schemaTokensMax>, Unit::Count},
    LimitField{"httpConnectionsMax", at<&ServerLimits::http, &HttpLimits::connectionsMax>,
               Unit::Count},
    LimitField{"headBytesMax", at<&ServerLimits::http, &HttpLimits::headBytesMax>, Unit::Bytes,
               1 << 10, 1 << 20},
    LimitField{"headersMax", at<&ServerLimits::http, &HttpLimits::headersMax>, Unit::Count},
    LimitField{"bodyBytesMax", at<&ServerLimits::http, &HttpLimits::bodyBytesMax>, Unit::Bytes},
    LimitField{"headTimeMax", at<&ServerLimits::http, &HttpLimits::headTimeMax>, Unit::Duration},
    LimitField{"idleTimeMax", at<&ServerLimits::http, &HttpLimits::idleTimeMax>, Unit::Duration},
    LimitField{"bodyTimeMax", at<&ServerLimits::http, &HttpLimits::bodyTimeMax>, Unit::Duration},
    LimitField{"writeTimeMax", at<&ServerLimits::http, &HttpLimits::writeTimeMax>, Unit::Duration},
    LimitField{"queueMax", at<&ServerLimits::workers, &WorkersOptions::queueMax>, Unit::Count},
    LimitField{"openMax", at<&ServerLimits::workers, &WorkersOptions::openMax>, Unit::Count},
    LimitField{"tenantRunningMax", at<&ServerLimits::workers, &WorkersOptions::runningPerKeyMax>,
               Unit::Count},
    LimitField{"tenantOpenMax", at<&ServerLimits::workers, &WorkersOptions::openPerKeyMax>,
               Unit::Count},
    LimitField{"tenantQueueMax", at<&ServerLimits::workers, &WorkersOptions::waitingPerKeyMax>,
               Unit::Count},
    LimitField{"isolateBytesMax", at<&ServerLimits::workers, &WorkersOptions::isolateBytesMax>,
               Unit::Bytes},
    LimitField{"isolateIdleTimeMax",
               at<&ServerLimits::workers, &WorkersOptions::isolateIdleTimeMax>, Unit::Duration},
    LimitField{"queueTimeMax", own<&ServerLimits::queueTimeMax>, Unit::Duration},
    LimitField{"openTenantsMax", own<&ServerLimits::openTenantsMax>, Unit::Count},
    LimitField{"tenantIdleTimeMax", own<&ServerLimits::tenantIdleTimeMax>, Unit::Duration},
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

std::uint64_t largestOf(const LimitField& limit) noexcept {
  if (limit.largest != 0) return limit.largest;
  if (limit.unit == Unit::Duration) return 366ull * 24 * 60 * 60'000;  // As parseDuration() has it.
  if (std::holds_alternative<LimitField::Small>(limit.field)) {
    return std::numeric_limits<std::int32_t>::max();  // SQLite takes some of them as `int`.
  }
  return std::numeric_limits<std::int64_t>::max();
}

std::uint64_t checkedLimit(const LimitField& limit, std::uint64_t value) {
  if (value == 0) throw invalidRequest("it must be more than 0");
  if (value < limit.least) throw invalidRequest(str("it must be at least ", limit.least));
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

std::uint64_t valueOf(const LimitField& limit, ServerLimits limits) {
  return std::visit(
      [&limits](auto field) {
        if constexpr (std::is_same_v<decltype(field), LimitField::Time>) {
          return static_cast<std::uint64_t>(field(limits).count());
        } else {
          return static_cast<std::uint64_t>(field(limits));
        }
      },
      limit.field);
}

void assign(const LimitField& limit, ServerLimits& limits, std::uint64_t value) {
  std::visit(
      [&limits, value](auto field) {
        field(limits) = static_cast<std::remove_reference_t<decltype(field(limits))>>(value);
      },
      limit.field);
}

// As the file would have it.
std::string textOf(const LimitField& limit, std::uint64_t value) {
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
    return numberOf(value, limit.least, largestOf(limit));
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
    Setting{"migrations", [](const Reader& reader, const Value& value,
                             Configuration& into) { into.migrations = reader.path(value); }},
    Setting{"readOnly", [](const Reader&, const Value& value,
                           Configuration& into) { into.readOnly = flagOf(value); }},
    Setting{"showValues", [](const Reader&, const Value& value,
                             Configuration& into) { into.showValues = flagOf(value); }},
    Setting{"traceSql", [](const Reader&, const Value& value,
                           Configuration& into) { into.traceSql = flagOf(value); }},
    Setting{"grace", [](const Reader&, const Value& value,
                        Configuration& into) { into.grace = parseDuration(textOf(value)); }},
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
  const std::uint64_t value = valueOf(limit, {});
  return value == 0 ? "" : textOf(limit, value);
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
  if (text == "header") return {Kind::Header, "x-tenant"};
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
      str('"', text, "\" is none of host, path, header, header:NAME, such as header:x-tenant"));
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
  prefer(weaker.migrations, stronger.migrations);
  prefer(weaker.readOnly, stronger.readOnly);
  prefer(weaker.showValues, stronger.showValues);
  prefer(weaker.traceSql, stronger.traceSql);
  prefer(weaker.grace, stronger.grace);
  prefer(weaker.log, stronger.log);
  prefer(weaker.schedules, stronger.schedules);
  for (const auto& [name, value] : stronger.limits) weaker.limits[name] = value;
  return weaker;
}

unsigned threadsOf(const Configuration& configuration) {
  return configuration.threads.value_or(std::max(1u, std::thread::hardware_concurrency()));
}

Configuration defaultConfiguration() {
  Configuration defaults;
  defaults.address = "127.0.0.1";
  defaults.port = 8787;
  defaults.threads = threadsOf({});
  defaults.isolation = Isolation::Request;
  defaults.push = false;
  defaults.migrate = false;
  defaults.migrations = kMigrationsFolder;
  defaults.readOnly = false;
  defaults.showValues = false;
  defaults.traceSql = false;
  defaults.log = LogForm::Automatic;
  defaults.grace = std::chrono::seconds(30);
  return defaults;
}

ServerLimits serverLimitsOf(const Configuration& configuration) {
  ServerLimits limits;
  // The heap follows the memory, unless it is named itself.
  if (const auto memory = configuration.limits.find("memoryBytesMax");
      memory != configuration.limits.end()) {
    limits.call = withMemory(limits.call, memory->second, "limits.memoryBytesMax");
  }
  const std::uint64_t memoryBytes = limits.call.memoryBytesMax;
  for (const auto& [name, value] : configuration.limits) {
    if (name != "memoryBytesMax") assign(findLimit(name), limits, value);
  }
  if (limits.call.heapBytesMax > memoryBytes - kOutsideHeapBytesMin) {
    throw invalidRequest(str("limits.heapBytesMax is ", formatSize(limits.call.heapBytesMax),
                             "; with a memory of ", formatSize(memoryBytes), " it may be ",
                             formatSize(memoryBytes - kOutsideHeapBytesMin)));
  }
  WorkersOptions& workers = limits.workers;
  workers.threads = threadsOf(configuration);
  if (!configuration.tenants) return limits;
  // So that one that loops for ever, or asks for ever, leaves something to the others.
  constexpr unsigned kTenantShare = 4;
  const auto orElse = [](auto& value, auto part) {
    if (value == 0) value = part;
  };
  orElse(workers.runningPerKeyMax, std::max(1u, workers.threads / 2));
  orElse(workers.openPerKeyMax, std::max<std::size_t>(1, workers.openMax / kTenantShare));
  orElse(workers.waitingPerKeyMax, std::max<std::size_t>(1, workers.queueMax / kTenantShare));
  return limits;
}

Limits limitsOf(const Configuration& configuration) { return serverLimitsOf(configuration).call; }

namespace {

void checkMigrate(const Configuration& configuration) {
  if (configuration.readOnly.value_or(false)) {
    throw invalidRequest(
        "migrate (--migrate) changes the database, which a server with readOnly (--read-only) may "
        "not");
  }
  if (configuration.push.value_or(false)) {
    throw invalidRequest(
        "migrate (--migrate) and push (--push) both make the app's tables; name one: push for "
        "development, migrate for what is to stay");
  }
  if (!configuration.db && !configuration.tenants) {
    throw invalidRequest(
        "migrate (--migrate) needs a database that stays: name db (--db) or tenants (--tenants)");
  }
}

}  // namespace

void checkTogether(const Configuration& configuration) {
  if (configuration.db && configuration.tenants) {
    throw invalidRequest(
        "db (--db) is one database for all and tenants (--tenants) a folder of them; name one");
  }
  if (configuration.tenantFrom && !configuration.tenants) {
    throw invalidRequest(
        "tenantFrom (--tenant-from) needs tenants (--tenants), the folder of their databases");
  }
  if (configuration.tenants && !configuration.tenantFrom) {
    throw invalidRequest(
        "tenants (--tenants) needs tenantFrom (--tenant-from), which says whose a request is: "
        "host, path, header or header:NAME");
  }
  if (configuration.port.value_or(*defaultConfiguration().port) == configuration.adminPort &&
      configuration.adminPort != 0) {
    throw invalidRequest(
        str("port (--port) and adminPort (--admin-port) are both ", *configuration.adminPort));
  }
  if (configuration.push.value_or(false) && configuration.readOnly.value_or(false)) {
    throw invalidRequest(
        "push (--push) changes the schema, which a server with readOnly (--read-only) may not");
  }
  if (configuration.migrate.value_or(false)) checkMigrate(configuration);
  serverLimitsOf(configuration);
}

namespace {

template <typename Value, std::size_t count>
std::string wordOf(Value value, const std::array<Word<Value>, count>& words) {
  return std::string(std::ranges::find(words, value, &Word<Value>::value)->text);
}

std::string textOf(const TenantSource& source) {
  switch (source.kind) {
    case TenantSource::Kind::Host:
      return "host";
    case TenantSource::Kind::Path:
      return "path";
    case TenantSource::Kind::Header:
      break;
  }
  return "header:" + source.header;
}

// Those that say something, as the file would have them, by their names.
std::map<std::string, std::string, std::less<>> textsOf(const Configuration& configuration) {
  std::map<std::string, std::string, std::less<>> texts;
  const auto add = [&texts](std::string_view name, const auto& value, auto text) {
    if (value) texts.emplace(name, text(*value));
  };
  const auto path = [](const fs::path& file) { return file.string(); };
  const auto number = [](auto value) { return std::to_string(value); };
  const auto flag = [](bool value) { return std::string(value ? "true" : "false"); };
  add("app", configuration.app, path);
  add("db", configuration.db, path);
  add("tenants", configuration.tenants, path);
  add("tenantFrom", configuration.tenantFrom,
      [](const TenantSource& source) { return textOf(source); });
  add("envFile", configuration.envFile, path);
  add("address", configuration.address, [](const std::string& text) { return text; });
  add("port", configuration.port, number);
  add("adminPort", configuration.adminPort, number);
  add("threads", configuration.threads, number);
  add("isolation", configuration.isolation,
      [](Isolation value) { return wordOf(value, kIsolations); });
  add("push", configuration.push, flag);
  add("migrate", configuration.migrate, flag);
  add("migrations", configuration.migrations, path);
  add("readOnly", configuration.readOnly, flag);
  add("showValues", configuration.showValues, flag);
  add("traceSql", configuration.traceSql, flag);
  add("grace", configuration.grace, [](Milliseconds time) { return formatDuration(time); });
  add("log", configuration.log, [](LogForm value) { return wordOf(value, kLogForms); });
  add("schedules", configuration.schedules, [](const std::vector<Schedule>& all) {
    std::string text;
    for (const Schedule& one : all) text += str(text.empty() ? "" : ", ", one.cron);
    return text;
  });
  return texts;
}

}  // namespace

std::string describeConfiguration(const Configuration& options, const Configuration& file,
                                  std::string_view source) {
  const Configuration all = merge(file, options);
  const auto given = textsOf(all);
  const auto fromOptions = textsOf(options);
  const auto defaults = textsOf(defaultConfiguration());
  constexpr std::size_t kNameWidth = 28, kValueWidth = 24;
  std::string lines;
  const auto add = [&](std::string name, std::string value, std::string_view from) {
    name.resize(std::max(name.size() + 1, kNameWidth), ' ');
    value.resize(std::max(value.size() + 1, kValueWidth), ' ');
    lines += str(name, value, from, '\n');
  };
  for (const std::string_view name : kSettingNames) {
    if (const auto value = given.find(name); value != given.end()) {
      add(std::string(name), value->second, fromOptions.contains(name) ? "option" : source);
    } else if (const auto usual = defaults.find(name); usual != defaults.end()) {
      add(std::string(name), usual->second, "default");
    }
  }
  const ServerLimits limits = serverLimitsOf(all);
  for (const LimitField& limit : kLimitFields) {
    const std::uint64_t value = valueOf(limit, limits);
    const bool isGiven = all.limits.contains(limit.name);
    if (value == 0) continue;  // Of tenants that there are not.
    const std::string_view givenBy = options.limits.contains(limit.name) ? "option" : source;
    add(str("limits.", limit.name), textOf(limit, value), isGiven ? givenBy : "default");
  }
  return lines;
}

}  // namespace schemascript
