#include "serve/cron.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <vector>

#include "base/error.h"

namespace schemascript {
namespace {

using namespace std::chrono;

struct Field {
  std::string_view name;
  unsigned first;
  unsigned last;
  std::string_view names{};  // Three letters each, from `first` on.
};

constexpr Field kMinute{"minute", 0, 59};
constexpr Field kHour{"hour", 0, 23};
constexpr Field kDay{"day of the month", 1, 31};
constexpr Field kMonth{"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"};
constexpr Field kWeekday{"day of the week", 0, 7, "sunmontuewedthufrisat"};

struct Shorthand {
  std::string_view name;
  std::string_view expression;
};

constexpr Shorthand kShorthands[] = {
    {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
    {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
    {"@hourly", "0 * * * *"},
};

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0;;) {
    const std::size_t end = text.find_first_of(separators, at);
    parts.push_back(text.substr(at, end - at));
    if (end == std::string_view::npos) return parts;
    at = end + 1;
  }
}

class Parser {
 public:
  Parser(std::string_view whole, const Field& field) : whole_(whole), field_(field) {}

  // Calls `add` with each number that the field names.
  template <typename Add>
  void parse(std::string_view text, Add&& add) const {
    for (const std::string_view part : split(text, ",")) {
      const std::size_t slash = part.find('/');
      const auto [first, last] = range(part.substr(0, slash), slash != std::string_view::npos);
      unsigned step = 1;
      if (slash != std::string_view::npos) {
        step = number(part.substr(slash + 1), part);
        if (step == 0) refuse(part);
      }
      for (unsigned value = first; value <= last; value += step) add(value);
    }
  }

 private:
  std::pair<unsigned, unsigned> range(std::string_view text, bool hasStep) const {
    if (text == "*") return {field_.first, field_.last};
    const std::size_t dash = text.find('-');
    const unsigned first = value(text.substr(0, dash), text);
    if (dash == std::string_view::npos) return {first, hasStep ? field_.last : first};
    const unsigned last = value(text.substr(dash + 1), text);
    if (last < first) refuse(text);
    return {first, last};
  }

  unsigned value(std::string_view text, std::string_view part) const {
    if (text.size() == 3 && !field_.names.empty()) {
      std::string lower(text);
      std::ranges::transform(lower, lower.begin(),
                             [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      for (std::size_t at = 0; at < field_.names.size(); at += 3) {
        if (field_.names.substr(at, 3) == lower) {
          return field_.first + static_cast<unsigned>(at / 3);
        }
      }
    }
    const unsigned found = number(text, part);
    if (found < field_.first || found > field_.last) refuse(part);
    return found;
  }

  unsigned number(std::string_view text, std::string_view part) const {
    unsigned found = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), found);
    if (error != std::errc{} || end != text.data() + text.size()) refuse(part);
    return found;
  }

  [[noreturn]] void refuse(std::string_view part) const {
    throw invalidRequest(
        str("the cron expression \"", whole_, "\" has \"", part, "\" as ", field_.name,
            "; it may be *, or numbers from ", field_.first, " to ", field_.last, " with , - and /",
            field_.names.empty() ? "" : ", or names such as ", field_.names.substr(0, 3)));
  }

  std::string_view whole_;
  const Field& field_;
};

constexpr int kYearsMax = 8;  // From one February 29th to the next there may be so many.

}  // namespace

Cron::Cron(std::string_view expression) : text_(expression) {
  for (const auto& [name, meaning] : kShorthands) {
    if (expression == name) expression = meaning;
  }
  std::vector<std::string_view> fields = split(expression, " \t");
  std::erase(fields, std::string_view());
  if (fields.size() != 5) {
    throw invalidRequest(str("the cron expression \"", text_, "\" has ", fields.size(),
                             " fields; it takes five: minute, hour, day of the month, month, day "
                             "of the week, such as \"*/15 * * * *\""));
  }
  const auto parse = [&](const Field& field, std::string_view text, auto& set) {
    Parser(text_, field).parse(text, [&](unsigned value) { set.set(value % set.size()); });
  };
  parse(kMinute, fields[0], minutes_);
  parse(kHour, fields[1], hours_);
  parse(kDay, fields[2], days_);
  parse(kMonth, fields[3], months_);
  parse(kWeekday, fields[4], weekdays_);  // 7 is Sunday again.
  anyDay_ = fields[2].starts_with('*');
  anyWeekday_ = fields[4].starts_with('*');
}

bool Cron::isDayDue(year_month_day day) const {
  const bool byDay = days_[static_cast<unsigned>(day.day())];
  const bool byWeekday = weekdays_[weekday(sys_days(day)).c_encoding()];
  return anyDay_ || anyWeekday_ ? byDay && byWeekday : byDay || byWeekday;
}

std::optional<Cron::Time> Cron::nextAfter(Time time) const {
  const Time from = floor<minutes>(time) + minutes(1);
  const sys_days firstDay = floor<days>(from);
  const sys_days lastDay = firstDay + days(366 * kYearsMax);
  for (sys_days day = firstDay; day <= lastDay; day += days(1)) {
    const year_month_day date(day);
    if (!months_[static_cast<unsigned>(date.month())] || !isDayDue(date)) continue;
    const auto begin = day == firstDay ? from - day : seconds(0);
    for (auto minute = floor<minutes>(begin); minute < days(1); minute += minutes(1)) {
      const auto hour = static_cast<std::size_t>(minute / hours(1));
      if (!hours_[hour]) {
        minute = hours(hour + 1) - minutes(1);
        continue;
      }
      if (minutes_[static_cast<std::size_t>(minute % hours(1) / minutes(1))]) return day + minute;
    }
  }
  return std::nullopt;
}

}  // namespace schemascript
