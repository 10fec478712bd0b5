// What a table rebuild costs beyond the copying of its rows, which nothing can spare it.
//
//     rebuild FOLDER [ROWS [ROUNDS]]
//
// In turns, each on a database file of its own in FOLDER with the same rows: `INSERT INTO new
// SELECT` of all of them into a table that is there, committed; and the migration that rebuilds the
// table because a column gets another default: copied, checked, with its old self dropped and its
// index made anew, committed.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "database/database.h"
#include "migrate/plan.h"
#include "migrate/runner.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

std::string tableOf(std::string_view name, int age) {
  return str("create table ", name,
             " (id integer primary key, email text not null, age integer not null default ", age,
             ", note text) strict");
}

Schema schemaWith(int age) {
  Database database({});
  database.execute(tableOf("users", age), Rules::Host);
  return readSchema(database);
}

double milliseconds(Clock::time_point since) {
  return std::chrono::duration<double, std::milli>(Clock::now() - since).count();
}

// A fresh database with `rows` rows, all of them in the file and none in the log.
template <typename Action>
double timed(const fs::path& file, const std::string& rows, Action&& action) {
  for (const char* const suffix : {"", "-wal", "-shm"}) fs::remove(file.native() + suffix);
  Database database({.file = file, .limits = limitsForMigration({})});
  database.execute(tableOf("users", 0), Rules::Host);
  database.execute(str("insert into users with recursive n(i) as (values (1) union all select i + 1"
                       " from n limit ",
                       rows,
                       ") select i, 'user' || i || '@example.org', i % 90, hex(randomblob(20))"
                       " from n"),
                   Rules::Host);
  database.execute("pragma wal_checkpoint(truncate)", Rules::Host);
  const auto begin = Clock::now();
  action(database);
  return milliseconds(begin);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

int measure(const fs::path& folder, const std::string& rows, int rounds) {
  const Plan plan = planMigration(schemaWith(0), schemaWith(1));
  const std::string sql = renderSteps(plan.steps);
  std::vector<double> plain;
  std::vector<double> rebuilt;
  std::vector<double> ratios;
  for (int round = 0; round < rounds; ++round) {
    plain.push_back(timed(folder / "plain.db", rows, [](Database& database) {
      database.execute("begin immediate", Rules::Host);
      database.execute(tableOf("users_new", 1), Rules::Host);
      database.execute(
          "insert into users_new (id, email, age, note) select id, email, age, note"
          " from users",
          Rules::Host);
      database.execute("commit", Rules::Host);
    }));
    rebuilt.push_back(timed(folder / "rebuilt.db", rows, [&sql](Database& database) {
      std::size_t reports = 0;
      runMigration(database, sql,
                   {.progress = [&reports](const MigrationProgress&) { ++reports; }});
      if (reports < 3) throw internal("no progress was told");
    }));
    ratios.push_back(rebuilt.back() / plain.back());
    std::printf("round %d: INSERT ... SELECT %7.0f ms, rebuild %7.0f ms, ratio %.2f\n", round + 1,
                plain.back(), rebuilt.back(), ratios.back());
    std::fflush(stdout);
  }
  std::printf("medians: %.0f ms, %.0f ms, ratio %.2f (%.2f to %.2f), %s rows\n", median(plain),
              median(rebuilt), median(ratios), *std::ranges::min_element(ratios),
              *std::ranges::max_element(ratios), rows.c_str());
  return 0;
}

}  // namespace
}  // namespace schemascript

int main(int count, char** words) {
  if (count < 2) {
    std::fprintf(stderr, "rebuild FOLDER [ROWS [ROUNDS]]\n");
    return 2;
  }
  return schemascript::measure(words[1], count > 2 ? words[2] : "1000000",
                               count > 3 ? std::atoi(words[3]) : 5);
}
