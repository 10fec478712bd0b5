// A database file with random bytes in one of its pages: rows or a typed error, never a crash.
#include <gtest/gtest.h>

#include <fstream>
#include <iostream>
#include <map>
#include <random>

#include "base/file.h"
#include "base/testing.h"
#include "database/database.h"
#include "script.h"

namespace schemascript::faults {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kDamages = 400;
constexpr std::size_t kPageBytes = 4096;

// A closed database with every kind of page: tables, indexes, chains of a blob, free ones, FTS5.
std::string intactFile(const fs::path& file) {
  Database database({.file = file});
  for (const char* sql :
       {"create table users (id integer primary key, email text not null unique) strict",
        "create table notes (id integer primary key, owner integer references users (id), body)",
        "create index notes_owner on notes (owner, body)",
        "create virtual table search using fts5(body, content='notes', content_rowid='id')",
        "insert into users with recursive c (i) as (select 1 union all select i + 1 from c where"
        " i < 500) select i, 'user' || i || '@example.org' from c",
        "insert into notes with recursive c (i) as (select 1 union all select i + 1 from c where"
        " i < 500) select i, i % 50 + 1, 'the body of note ' || i from c",
        "insert into notes values (1000, 1, zeroblob(60000)), (1001, 1, zeroblob(20000))",
        "insert into search (search) values ('rebuild')", "delete from notes where id = 1001"}) {
    database.execute(sql, Rules::Host);
  }
  return {};
}

constexpr std::string_view kStatements[] = {
    "select count(*), min(email), max(email) from users",
    "select count(*), sum(length(body)) from notes where owner between 3 and 30",
    "select body from notes where id = 1000",
    "select users.email, notes.body from users join notes on owner = users.id order by 1, 2",
    "select rowid from search where search match 'body AND note'",
    "insert into users (email) values ('new@example.org')",
    "insert into notes (owner, body) values (1, zeroblob(30000))",
    "update notes set owner = owner % 7 + 1 where id % 3 = 0",
    "delete from notes where owner = 2",
    "delete from users where id > 490",
    "select * from sqlite_schema",
    "create table another (x unique)",
};

// Where the damage is in the text of the schema, SQLite may read another schema than that which was
// written; a statement that does not fit it is then wrong.
bool isExpected(const Error& error, const fs::path& file, bool damagesSchema) {
  const std::string code = error.detail() == nullptr ? "" : error.detail()->sqliteCode;
  if (error.code() == ErrorCode::Unavailable) {
    return error.message().find(file.string()) != std::string::npos &&
           error.message().find("backup") != std::string::npos;
  }
  if (code.starts_with("SQLITE_CONSTRAINT") || code == "SQLITE_MISMATCH") return true;
  // The first page says what the file is.
  if (damagesSchema && error.code() == ErrorCode::InvalidRequest) return true;
  return damagesSchema && error.code() == ErrorCode::NotAllowed;
}

TEST(DamagedFile, IsAnsweredWithRowsOrWithWhatToDo) {
  const std::uint32_t seed = seedOr(20'261'124);
  const TemporaryFolder folder;
  const fs::path original = folder / "original.db";
  intactFile(original);
  const std::string intact = readFile(original);
  ASSERT_EQ(intact.size() % kPageBytes, 0u);
  std::map<std::string, int> answers;
  for (std::uint32_t round = 0; round < kDamages; ++round) {
    SCOPED_TRACE(str("seed ", seed, ", round ", round));
    std::mt19937 random(seed + round);
    std::string bytes = intact;
    // Every fourth damages the first page; page 2 and later hold the rest.
    const std::size_t page = round % 4 == 0 ? 0 : random() % (bytes.size() / kPageBytes);
    const std::size_t count = round % 3 == 0 ? kPageBytes : 1 + random() % 40;
    const std::size_t at = page * kPageBytes + (count == kPageBytes ? 0 : random() % kPageBytes);
    for (std::size_t i = at; i < std::min(at + count, bytes.size()); ++i) {
      bytes[i] = static_cast<char>(random());
    }
    const fs::path file = folder / "damaged.db";
    for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(str(file.string(), suffix));
    std::ofstream(file, std::ios::binary) << bytes;
    const bool damagesSchema = page == 0;
    try {
      Database database({.file = file});
      for (const std::string_view sql : kStatements) {
        try {
          database.execute(sql, Rules::Host);
          ++answers["rows"];
        } catch (const Error& error) {
          EXPECT_TRUE(isExpected(error, file, damagesSchema))
              << sql << ": " << nameOf(error.code()) << ": " << error.message();
          ++answers[error.detail() == nullptr ? "other" : error.detail()->sqliteCode];
        }
      }
    } catch (const Error& error) {
      EXPECT_NE(error.message().find(file.string()), std::string::npos) << error.message();
      EXPECT_TRUE(error.code() == ErrorCode::Unavailable ||
                  error.code() == ErrorCode::InvalidRequest)
          << error.message();
      ++answers["not opened"];
    }
  }
  for (const auto& [answer, count] : answers) std::cout << answer << ": " << count << "\n";
  EXPECT_GT(answers["SQLITE_CORRUPT"], 50);
  EXPECT_GT(answers["rows"], 500);
}

}  // namespace
}  // namespace schemascript::faults
