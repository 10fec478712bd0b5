// Cron expressions, against dates that were looked up in a calendar.
#include "serve/cron.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace schemascript {
namespace {

using namespace std::chrono;

// `2026-11-23 10:07`.
Cron::Time at(const char* text) {
  int y = 0, m = 0, d = 0, hour = 0, minute = 0;
  EXPECT_EQ(std::sscanf(text, "%d-%d-%d %d:%d", &y, &m, &d, &hour, &minute), 5) << text;
  return sys_days(year(y) / m / d) + hours(hour) + minutes(minute);
}

std::string next(std::string_view expression, const char* after) {
  const std::optional<Cron::Time> found = Cron(expression).nextAfter(at(after) + 30s);
  if (!found) return "never";
  const year_month_day date(floor<days>(*found));
  const hh_mm_ss time(*found - floor<days>(*found));
  char text[40];
  std::snprintf(text, sizeof text, "%d-%02u-%02u %02d:%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()));
  return text;
}

TEST(Cron, FindsTheNextMinute) {
  EXPECT_EQ(next("* * * * *", "2026-11-23 10:07"), "2026-11-23 10:08");
  EXPECT_EQ(next("*/15 * * * *", "2026-11-23 10:07"), "2026-11-23 10:15");
  EXPECT_EQ(next("*/15 * * * *", "2026-11-23 10:45"), "2026-11-23 11:00");
  EXPECT_EQ(next("7 * * * *", "2026-11-23 10:07"), "2026-11-23 11:07");
  EXPECT_EQ(next("5/20 * * * *", "2026-11-23 10:07"), "2026-11-23 10:25");
  EXPECT_EQ(next("0,30 8-10,20 * * *", "2026-11-23 10:40"), "2026-11-23 20:00");
  EXPECT_EQ(next("59 23 31 12 *", "2026-11-23 10:07"), "2026-12-31 23:59");
  EXPECT_EQ(next("0 0 1 jan *", "2026-11-23 10:07"), "2027-01-01 00:00");
  EXPECT_EQ(next("0 9 * * MON-FRI", "2026-11-20 09:00"), "2026-11-23 09:00");
  EXPECT_EQ(next("0 9 * * 7", "2026-11-23 10:07"), "2026-11-29 09:00");
  EXPECT_EQ(next("0 9 * * 0", "2026-11-23 10:07"), "2026-11-29 09:00");
  EXPECT_EQ(next("0 9 * * 5-7", "2026-11-28 10:00"), "2026-11-29 09:00");
  EXPECT_EQ(next("  0\t9  * * *  ", "2026-11-23 10:07"), "2026-11-24 09:00");
  EXPECT_EQ(next("0 0 29 2 *", "2026-11-23 10:07"), "2028-02-29 00:00");
  EXPECT_EQ(next("0 0 29 2 *", "2096-03-01 00:00"), "2104-02-29 00:00");  // 2100 has none.
  EXPECT_EQ(next("0 0 30 2 *", "2026-11-23 10:07"), "never");
  EXPECT_EQ(next("0 0 31 4,6,9,11 *", "2026-11-23 10:07"), "never");
}

// crontab(5): with both, either.
TEST(Cron, TakesEitherDayWhenBothAreRestricted) {
  EXPECT_EQ(next("0 0 13 * fri", "2026-11-23 10:07"), "2026-11-27 00:00");
  EXPECT_EQ(next("0 0 25 * fri", "2026-11-23 10:07"), "2026-11-25 00:00");
  EXPECT_EQ(next("0 0 */2 * fri", "2026-11-23 10:07"), "2026-11-27 00:00");
  EXPECT_EQ(next("0 0 */2 * mon", "2026-11-23 10:07"), "2026-12-07 00:00");
}

TEST(Cron, KnowsTheShorthands) {
  EXPECT_EQ(next("@hourly", "2026-11-23 10:07"), "2026-11-23 11:00");
  EXPECT_EQ(next("@daily", "2026-11-23 10:07"), "2026-11-24 00:00");
  EXPECT_EQ(next("@weekly", "2026-11-23 10:07"), "2026-11-29 00:00");
  EXPECT_EQ(next("@monthly", "2026-11-23 10:07"), "2026-12-01 00:00");
  EXPECT_EQ(next("@yearly", "2026-11-23 10:07"), "2027-01-01 00:00");
  EXPECT_EQ(Cron("@daily").text(), "@daily");
}

TEST(Cron, SaysWhatIsWrong) {
  for (const char* const wrong : {"",
                                  "* * * *",
                                  "* * * * * *",
                                  "60 * * * *",
                                  "* 24 * * *",
                                  "* * 0 * *",
                                  "* * 32 * *",
                                  "* * * 13 *",
                                  "* * * 0 *",
                                  "* * * * 8",
                                  "5-1 * * * *",
                                  "*/0 * * * *",
                                  "a * * * *",
                                  "1, * * * *",
                                  "-1 * * * *",
                                  "1-2-3 * * * *",
                                  "* * * foo *",
                                  "@often",
                                  "99999999999 * * * *",
                                  "*/x * * * *",
                                  "1/2/3 * * * *",
                                  "* * * * monday"}) {
    EXPECT_THROW(Cron{wrong}, Error) << wrong;
  }
  try {
    Cron("*/15 25 * * *");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(),
              "the cron expression \"*/15 25 * * *\" has \"25\" as hour; it may be *, or numbers "
              "from 0 to 23 with , - and /");
  }
}

}  // namespace
}  // namespace schemascript
