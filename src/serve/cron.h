// When something is due: cron expressions, as crontab(5) describes them, in UTC.
#pragma once

#include <array>
#include <bitset>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace schemascript {

// Five fields: minute, hour, day of the month, month, day of the week. Each is `*` or a list of
// numbers and ranges, with steps (`*/15`, `1-5`, `0,30`); months and days of the week also by the
// first three letters of their English names; Sunday is 0 or 7. When both days are restricted,
// either is enough, as in crontab(5). Also @yearly, @annually,
// @monthly, @weekly, @daily, @midnight and @hourly.
class Cron {
 public:
  using Time = std::chrono::sys_seconds;

  // Throws InvalidRequest: which field is wrong, and what may stand there.
  explicit Cron(std::string_view expression);

  // The first minute after `time` at which it is due; nothing when there is none within the next 8
  // years, as for February 30th.
  std::optional<Time> nextAfter(Time time) const;

  const std::string& text() const noexcept { return text_; }

 private:
  bool isDayDue(std::chrono::year_month_day day) const;

  std::string text_;
  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;
  std::bitset<13> months_;
  std::bitset<7> weekdays_;
  bool anyDay_ = false;
  bool anyWeekday_ = false;
};

}  // namespace schemascript
