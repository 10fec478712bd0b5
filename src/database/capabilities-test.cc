#include "database/capabilities.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/testing.h"
#include "database/database.h"

namespace schemascript {
namespace {

using Names = std::vector<std::string>;

std::shared_ptr<const Capabilities> parse(const Names& reads, const Names& writes) {
  return Capabilities::parse(reads, writes);
}

TEST(Capabilities, CoverTablesAndColumnsInAnyCase) {
  const auto some =
      parse({"users.name", "Notes", "\"odd.na\"\"me\".\"a b\""}, {"notes", "users.Name"});
  EXPECT_TRUE(some->readsColumn("USERS", "NAME"));
  EXPECT_FALSE(some->readsColumn("users", "password"));
  EXPECT_FALSE(some->readsColumn("users", "ROWID"));
  EXPECT_TRUE(some->readsColumn("notes", "anything"));
  EXPECT_TRUE(some->readsColumn("odd.na\"me", "A B"));
  EXPECT_FALSE(some->readsColumn("other", "name"));
  EXPECT_TRUE(some->readsSomeOf("users"));
  EXPECT_FALSE(some->readsSomeOf("other"));
  EXPECT_TRUE(some->writesTable("notes"));
  EXPECT_FALSE(some->writesTable("users"));
  EXPECT_TRUE(some->writesColumn("users", "name"));
  EXPECT_FALSE(some->writesColumn("users", "id"));
  EXPECT_FALSE(some->readsEverything() || some->writesEverything());
  const auto all = parse({"*"}, {"users", "*"});
  EXPECT_TRUE(all->readsColumn("x", "y") && all->writesTable("x") && all->writesColumn("x", "y"));
}

TEST(Capabilities, TakeTheNamesOfTheSchemaTableForOne) {
  const auto some = parse({"sqlite_schema.name"}, {});
  for (const char* name :
       {"sqlite_master", "SQLITE_SCHEMA", "sqlite_temp_master", "sqlite_temp_schema"}) {
    EXPECT_TRUE(some->readsColumn(name, "name")) << name;
    EXPECT_FALSE(some->readsColumn(name, "sql")) << name;
  }
}

TEST(Capabilities, AreEqualWhenTheyAllowTheSame) {
  const auto equal = [](const Names& leftReads, const Names& leftWrites, const Names& rightReads,
                        const Names& rightWrites) {
    const auto left = parse(leftReads, leftWrites);
    const auto right = parse(rightReads, rightWrites);
    EXPECT_TRUE(*left != *right || left->hash() == right->hash());
    return *left == *right;
  };
  EXPECT_TRUE(equal({"a.b", "c"}, {}, {"C", "\"A\".b", "a.B"}, {}));
  EXPECT_TRUE(equal({"a", "a.b"}, {}, {"a"}, {}));
  EXPECT_TRUE(equal({"*", "a"}, {}, {"*"}, {}));
  EXPECT_FALSE(equal({"a"}, {}, {}, {"a"}));
  EXPECT_FALSE(equal({"a.b"}, {}, {"a"}, {}));
  EXPECT_FALSE(equal({"a.b"}, {}, {"\"a.b\""}, {}));
  EXPECT_FALSE(equal({"a", "b"}, {}, {"\"a;1:b\""}, {}));
  EXPECT_FALSE(equal({}, {}, {"*"}, {}));
}

TEST(Capabilities, NameTheEntryThatIsWrong) {
  for (const std::string entry : {".", "a.", ".a", "a.b.c", "a b", "a.*", "\"a", "\"\"", "a.\"\"",
                                  "* ", " a", "a-b", "'a'"}) {
    expectError(ErrorCode::InvalidRequest,
                str("the entry ", entry,
                    " in the capabilities' writes is neither table, table.column nor *; a name "
                    "with other characters than letters, digits, _ and $ stands in double quotes"),
                [&] { parse({"a"}, {"b", entry}); });
  }
  const Error empty = errorOf([] { parse({""}, {}); });
  EXPECT_TRUE(empty.message().starts_with("the entry \"\" in the capabilities' reads is neither"));
}

TEST(Capabilities, HaveABound) {
  EXPECT_NO_THROW(parse(Names(10'000, "a"), {}));
  expectError(ErrorCode::InvalidRequest, "the capabilities have 10001 reads; 10000 is the most",
              [] { parse(Names(10'001, "a"), {}); });
}

// A session against the authorizer: two connections to one file, of which only `session_` is
// restricted.
class CapabilitiesTest : public testing::Test {
 protected:
  CapabilitiesTest() {
    for (const char* sql : {
             "create table users (id integer primary key, name text, password text, age integer,"
             " twice integer generated always as (age * 2) virtual)",
             "create table notes (id integer primary key, author integer references users (id)"
             " on delete cascade, body text)",
             "create table tags (id integer primary key, note integer references notes (id)"
             " on delete set null on update cascade, label text)",
             "create table log (entry text)",
             "create table logins (user integer, password text)",
             "create table copy (id integer primary key, name text, password text, age integer)",
             "create table plain (id integer primary key, name text, password text, age integer)",
             "create table counted (id integer primary key autoincrement)",
             "create index users_password on users (lower(password))",
             "create view names as select id, name from users where password is not null",
             "create view short_names as select name from names where length(name) < 5",
             "create view hidden as with c as (select password from users) select * from c",
             "create view totals as select count(*) as n from users",
             "create trigger tags_log after insert on tags begin"
             " insert into log select password from users; end",
             "create trigger names_insert instead of insert on names begin"
             " insert into users (name) values (new.name); end",
             "insert into users (id, name, password, age) values (1, 'Ada', 's3cret', 36)",
             "insert into notes values (1, 1, 'first words'), (2, 1, 'second words')",
             "insert into plain values (1, 'Ada', 's3cret', 36)",
             "create virtual table notes_search using fts5 (body, content='notes',"
             " content_rowid='id')",
             "create trigger notes_ai after insert on notes begin"
             " insert into notes_search (rowid, body) values (new.id, new.body); end",
             "create trigger notes_ad after delete on notes begin"
             " insert into notes_search (notes_search, rowid, body)"
             " values ('delete', old.id, old.body); end",
             "insert into notes_search (notes_search) values ('rebuild')",
             "create virtual table words using fts5 (word)",
             "insert into words values ('apple'), ('pear')",
             "create virtual table vocabulary using fts5vocab ('words', 'row')",
             "create virtual table places using rtree (id, x0, x1)",
             "insert into places values (1, 2, 3)",
             "analyze",
         }) {
      owner(sql);
    }
  }

  void owner(std::string_view sql) { owner_.execute(sql, Rules::Guest); }
  void allow(const Names& reads, const Names& writes = {}) {
    session_.useCapabilities(parse(reads, writes));
  }
  // All rows and columns of a statement of the session.
  std::string run(std::string_view sql) {
    Lease lease = session_.lend(sql);
    Execution execution(*lease);
    std::string text;
    while (execution.step()) {
      for (int column = 0; column < lease->columnCount(); ++column) {
        const ValueView value = execution.column(column);
        text += value.kind == ValueKind::Integer ? str(value.integer) : std::string(value.bytes);
        text += ' ';
      }
    }
    execution.finish();
    return text;
  }
  void expectAllowed(std::string_view sql) {
    SCOPED_TRACE(sql);
    EXPECT_NO_THROW(run(sql)) << errorOf([&] { run(sql); }).message();
  }
  // `what` is the message without its end.
  void expectRefused(std::string_view what, std::string_view sql) {
    SCOPED_TRACE(sql);
    const Error error = errorOf([&] { run(sql); });
    EXPECT_EQ(nameOf(error.code()), "not-allowed") << error.message();
    EXPECT_TRUE(error.message().starts_with(str(what, " is not allowed for this session")))
        << error.message();
  }

  TemporaryFolder folder_;
  Database owner_{{.file = folder_ / "a.db"}};
  Database session_{{.file = folder_ / "a.db"}};
};

TEST_F(CapabilitiesTest, RefuseAColumnOnEveryPath) {
  allow({"users.id", "users.name", "notes", "logins.user", "copy.id"},
        {"notes", "copy", "users.name"});
  for (const char* sql : {
           "select password from users",
           "select PASSWORD from USERS",
           "select \"password\" from \"users\"",
           "select u.password from users as u",
           "select main.users.password from main.users",
           "select id from users where password like 's%'",
           "select id from users where lower(password) = 's3cret'",
           "select id from users order by password",
           "select id from users group by password",
           "select id from users group by id having max(password) > 's'",
           "select count(password) from users",
           "select sum(id) over (partition by password) from users",
           "select sum(id) filter (where password > 's') over () from users",
           "select (select password from users)",
           "select exists (select 1 from users where password = 's3cret')",
           "select 1 where 's3cret' in (select password from users)",
           "select id from users union select password from users",
           "select id from users except select password from users",
           "with c as (select password from users) select * from c",
           "with c (p) as materialized (select password from users) select count(*) from c",
           "with recursive c (p) as (select password from users union select p from c)"
           " select p from c",
           "with names as (select password from users) select * from names",
           "with totals as (select password from users) select * from totals",
           "with tags_log as (select password from users) select * from tags_log",
           "with \"sqlite_x\" as (select password from users) select * from sqlite_x",
           "with c as not materialized (select password from users) select c.password from c as d,"
           " c",
           "select * from (select password from users) as names",
           "select * from (select id, password as p from users) where p is not null",
           "select notes.id from notes join users on users.password = notes.body",
           "select notes.id from notes left join users on users.id = notes.author"
           " and users.password > 's'",
           "select notes.id from users, notes where (users.id, users.password) > (0, 's')",
           "select value from users, json_each(users.password)",
           "select json_group_array(json_object('p', password)) from users",
           "select typeof(password), length(password) from users",
           "values ((select password from users))",
           "insert into notes (body) select password from users",
           "insert into notes (body) values ((select password from users))",
           "insert into copy (id, name) select id, name from users where true on conflict (id)"
           " do update set name = (select password from users)",
           "update notes set body = (select password from users)",
           "update notes set body = users.password from users where users.id = notes.author",
           "update users set name = password",
           "update users set name = 'x' where password = 's3cret'",
           "update users set name = 'x' returning password",
           "delete from notes where exists (select 1 from users where password > 's')",
           "delete from notes returning (select password from users)",
           "explain select password from users",
           "explain query plan select password from users",
       }) {
    expectRefused("reading users.password", sql);
  }
  expectRefused("reading users.password", "select * from users");
  expectRefused("reading users.age", "select age from users");
  expectRefused("reading users.twice", "select twice from users");
  expectRefused("reading copy.name",
                "insert into copy (id, name) values (1, 'x') on conflict (id)"
                " do update set name = copy.name || excluded.name");
  expectAllowed("select users.id, u.name, notes.* from users, users as u, notes");
  EXPECT_EQ(run("select id, name from users where rowid = 1"), "1 Ada ");
  EXPECT_EQ(run("select rowid, oid, _rowid_ from users"), "1 1 1 ");
  EXPECT_EQ(run("select count(*) from users"), "1 ");
  EXPECT_EQ(run("select 1 from users"), "1 ");
  expectAllowed("with c as (select id from users) select count(*) from c");
  expectAllowed(
      "with recursive n (x) as (select 1 union all select x + 1 from n where x < 5)"
      " select count(*) from n");
}

TEST_F(CapabilitiesTest, RefuseATableThatIsNotNamed) {
  allow({"users"}, {});
  for (const char* sql :
       {"select count(*) from log", "select 1 from log", "select exists (select 1 from log)",
        "select users.* from users, log", "select count(*) from main.log",
        "select count(*) from 'log'", "select count(*) from [log]",
        "select count(*) from \xef\xbb\xbflog", "select count(*) from (select 1 from log)"}) {
    expectRefused("reading log", sql);
  }
  expectRefused("reading log.entry", "select 1 where 'x' in log");
  expectRefused("reading log.ROWID", "select rowid from log");
  expectRefused("reading log.ROWID", "select oid from log");
  // Without a grant for it, a WITH is no disguise.
  expectRefused("reading log",
                "select count(*) from log where exists (with log as (select 1) select 1 from log)");
  expectRefused(
      "reading totals",
      "select 1 from totals where exists (with totals as (select 1) select 1 from totals)");
}

TEST_F(CapabilitiesTest, NeedTheTableForRowidsWithoutAPrimaryKey) {
  allow({"log.entry", "logins.rowid"});
  expectRefused("reading log.ROWID", "select _rowid_ from log");
  expectAllowed("select oid from logins");
  allow({"log"});
  expectAllowed("select rowid, * from log");
}

// SQLite does not tell of these at all.
TEST_F(CapabilitiesTest, RefuseJoinsByColumnNames) {
  allow({"notes"});
  for (const char* sql : {
           "select 1 from (select 's3cret' as password) as a join users using (password)",
           "select password from (select 'x' as password) as a full join users using (password)",
           "select count(*) from (select 's3cret' as password) as a natural join users",
           "select 1 from json_each('[1]') as a join notes on ?1natural join users",
       }) {
    expectError(ErrorCode::NotAllowed,
                "NATURAL JOIN and JOIN ... USING are not allowed for this session, because SQLite "
                "does not tell which columns they read; write JOIN ... ON",
                [&] { session_.lend(sql); });
  }
  allow({"*"});
  expectAllowed("select count(*) from (select 's3cret' as password) as a natural join users");
}

TEST_F(CapabilitiesTest, RefuseCopiesOfWholeRows) {
  allow({"copy"}, {"copy"});
  for (const char* sql :
       {"insert into copy select * from plain", "insert into copy select all * from plain",
        "replace into main.copy select * from plain",
        "insert or ignore into \"copy\" as c select*from plain"}) {
    expectError(ErrorCode::NotAllowed,
                "INSERT INTO copy SELECT * is not allowed for this session without a list of "
                "columns: write INSERT INTO copy (...) SELECT",
                [&] { run(sql); });
  }
  expectRefused("reading plain.id",
                "insert into copy (id, name, password, age) select * from plain");
  expectRefused("reading plain.id", "insert into copy select id, name, password, age from plain");
  EXPECT_EQ(run("select count(*) from copy"), "0 ");
  allow({"*"}, {"copy"});
  expectAllowed("insert into copy select * from plain");
  EXPECT_EQ(run("select count(*) from copy"), "1 ");
}

TEST_F(CapabilitiesTest, ShowWhatAGrantedViewShows) {
  allow({"names"});
  EXPECT_EQ(run("select * from names"), "1 Ada ");
  EXPECT_EQ(run("select count(*) from names"), "1 ");
  EXPECT_EQ(run("select 1 from names as n where n.id = 1"), "1 ");
  EXPECT_EQ(run("with c as (select name from names) select * from c"), "Ada ");
  expectRefused("reading users.password", "select password from names, users");
  // What has a granted view's name is not that view.
  for (const char* sql : {
           "with names as (select password from users) select * from names",
           "with \"NAMES\" (p) as materialized (select password from users) select p from names",
           "with recursive a as (select 1), [names]/**/as(select password from users)"
           " select * from names",
           "with\"names\"as(select password from users) select (select password from names)",
           "select (with 'names' as (select password from users) select * from names)",
       }) {
    expectRefused("reading users.password", sql);
  }
  expectRefused("reading short_names", "select * from short_names");
  expectRefused("reading short_names", "select count(*) from short_names");
  expectRefused("reading totals", "select 1 from totals");
  expectRefused("reading totals", "select exists (select 1 from totals)");
  expectRefused("reading hidden.password", "select * from hidden");
  expectRefused("reading hidden.password", "select 1 where 's3cret' in hidden");
  expectRefused("reading hidden", "select 1 from hidden");
  expectRefused("reading hidden", "select count(*) from hidden as h");
  allow({"short_names", "hidden", "totals"});
  EXPECT_EQ(run("select * from short_names"), "Ada ");
  EXPECT_EQ(run("select * from hidden"), "s3cret ");
  EXPECT_EQ(run("select n from totals"), "1 ");
  EXPECT_EQ(run("select count(*) from totals"), "1 ");
  expectRefused("reading names", "select * from names");
  expectRefused("reading names", "select count(*) from short_names, names");
  expectRefused("reading users.password", "select password from users");
  // The view's own WITH is called c, too.
  expectRefused("reading users.password",
                "with c as (select password from users) select c.* from c, hidden");
  allow({"names.id"});
  EXPECT_EQ(run("select id from names"), "1 ");
  expectRefused("reading names.name", "select * from names");
}

TEST_F(CapabilitiesTest, LetTriggersDoWhatTheyDo) {
  allow({}, {"tags"});
  expectAllowed("insert into tags (label) values ('red')");
  expectRefused("reading log.entry", "select entry from log");
  expectRefused("inserting into log", "insert into log values ('x')");
  allow({}, {"names"});
  expectAllowed("insert into names (name) values ('Bob')");
  expectRefused("inserting into users", "insert into users (name) values ('Bob')");
  owner("delete from log");
}

TEST_F(CapabilitiesTest, HoldWhatIsWritten) {
  allow({"users.id", "notes"}, {"users.name", "log"});
  expectAllowed("update users set name = 'Eve' where id = 1");
  expectAllowed("update users set (name) = ('Ada')");
  expectRefused("writing users.password", "update users set password = 'x'");
  expectRefused("writing users.password", "update users set name = 'x', password = 'x'");
  expectRefused("writing users.password", "update users set (name, password) = (select 1, 2)");
  expectRefused("writing users.ROWID", "update users set rowid = 5");
  expectRefused("inserting into users", "insert into users (name) values ('x')");
  expectRefused("inserting into users", "replace into users (id, name) values (1, 'x')");
  expectRefused("deleting from users", "delete from users");
  expectRefused("deleting from users", "delete from users where id = 1");
  expectRefused("deleting from notes", "delete from notes");
  expectRefused("inserting into notes",
                "insert into notes (id) values (1) on conflict do update set body = 'x'");
  expectRefused("writing notes.body", "update notes set body = 'x'");
  expectRefused("writing copy.name", "update or ignore copy set name = 'x'");
  expectRefused("inserting into counted", "insert into counted default values");
  expectAllowed("insert into log values ('x')");
  expectAllowed("delete from log");
  expectRefused("reading log.entry", "insert into log values ('x') returning entry");
  expectRefused("reading log.entry", "delete from log where entry = 'x'");
  allow({}, {});
  expectRefused("inserting into log", "insert into log values ('x')");
  expectRefused("reading users.id", "select id from users");
  EXPECT_EQ(run("select 1 + 1"), "2 ");
}

TEST_F(CapabilitiesTest, TakeForeignKeysForTheSchemas) {
  allow({"notes.id", "notes.body"}, {"notes", "users"});
  // Reads users.id, and with the delete tags.note and writes it.
  expectAllowed("insert into notes (author, body) values (1, 'third')");
  EXPECT_THROW(run("insert into notes (author) values (99)"), ForeignKeyViolation);
  expectAllowed("update notes set id = 7 where id = 3");
  expectAllowed("delete from notes where id = 7");
  expectRefused("writing tags.note", "update tags set note = 1");
  allow({"users.id"}, {"users"});
  expectAllowed("delete from users where id = 1");
  EXPECT_EQ(run("select count(*) from users"), "0 ");
  expectRefused("reading notes", "select count(*) from notes");
}

TEST_F(CapabilitiesTest, SayWhichForeignKeyNeedsMore) {
  allow({"users.name"}, {"notes"});
  expectError(ErrorCode::NotAllowed,
              "reading users.id is not allowed for this session; the foreign key of notes.author "
              "does that as well, which needs the right to it where the statement names the table",
              [&] { run("insert into notes (author, body) select 1, name from users"); });
  allow({"users.id", "notes.author"}, {"users"});
  expectError(ErrorCode::NotAllowed,
              "deleting from notes is not allowed for this session; the foreign key of "
              "notes.author does that as well, which needs the right to it where the statement "
              "names the table",
              [&] { run("delete from users where id in (select author from notes)"); });
}

TEST_F(CapabilitiesTest, LetASearchTableSearch) {
  allow({"notes.id", "notes_search"});
  EXPECT_EQ(run("select rowid from notes_search where notes_search match 'words' order by rank"),
            "1 2 ");
  EXPECT_EQ(run("select body from notes_search('first')"), "first words ");
  EXPECT_EQ(run("select count(*) from notes_search"), "2 ");
  EXPECT_EQ(run("select notes.id from notes_search('first') as s join notes on notes.id = s.rowid"
                " order by bm25(notes_search)"),
            "1 ");
  expectAllowed("select bm25(notes_search), rank, notes_search, * from notes_search('words')");
  expectRefused(
      "reading notes.body",
      "select notes.body from notes_search('first') as s join notes on notes.id = s.rowid");
  for (const char* table :
       {"notes_search_data", "notes_search_idx", "notes_search_docsize", "notes_search_config"}) {
    expectRefused(str("reading ", table), str("select count(*) from ", table));
    expectRefused(str("reading ", table), str("select count(*) from notes_search, ", table));
  }
  expectRefused("reading words_content.c0", "select c0 from words_content");
  expectRefused("reading words.word", "select word from words where words match 'apple'");
  expectRefused("reading words.rank", "select rank from words");
  expectRefused("reading words.words", "select words from words");
  expectRefused("reading words.ROWID", "select rowid from words('apple')");
  expectRefused("reading vocabulary.term", "select term from vocabulary");
  expectRefused("inserting into notes_search",
                "insert into notes_search (notes_search) values ('rebuild')");
  expectRefused("inserting into notes_search",
                "insert into notes_search (notes_search, rank) values ('rank', 'bm25(2.0)')");
  expectRefused("writing notes_search.body", "update notes_search set body = 'x'");
  allow({"vocabulary"});
  EXPECT_EQ(run("select term from vocabulary order by term"), "apple pear ");
  expectRefused("reading words.word", "select word from words");
}

TEST_F(CapabilitiesTest, LetASearchTableBeWritten) {
  allow({"words.rowid"}, {"words"});
  expectAllowed("insert into words values ('plum')");
  expectAllowed("update words set word = 'cherry' where rowid = 3");
  expectAllowed("delete from words where rowid = 3");
  expectAllowed("insert into words (words) values ('optimize')");
  expectRefused("inserting into words_config", "insert into words_config values ('a', 'b')");
  // The trigger writes the search table, whose index is written at the end of the transaction.
  allow({}, {"notes"});
  expectAllowed("insert into notes (author, body) values (1, 'third words')");
  expectAllowed("insert into notes (author, body) values (1, 'fourth') returning 1");
  owner("insert into notes_search (notes_search) values ('integrity-check')");
}

TEST_F(CapabilitiesTest, LetAnRtreeBeUsed) {
  allow({"places.id", "places.x0"});
  EXPECT_EQ(run("select id from places where x0 > 1"), "1 ");
  expectRefused("reading places.x1", "select * from places");
  expectRefused("inserting into places", "insert into places values (2, 3, 4)");
  expectRefused("reading places_node.data", "select data from places_node");
  expectRefused("reading places_rowid.rowid", "select rowid from places_rowid");
  allow({}, {"places"});
  expectAllowed("insert into places values (2, 3, 4)");
}

TEST_F(CapabilitiesTest, KeepSqlitesOwnTables) {
  allow({"users", "notes"});
  for (const char* table : {"sqlite_master", "sqlite_schema", "main.sqlite_master",
                            "main.sqlite_schema", "\"sqlite_schema\"", "SQLITE_SCHEMA"}) {
    expectRefused("reading sqlite_master.sql", str("select sql from ", table));
    EXPECT_EQ(errorOf([&] { run(str("select count(*) from ", table)); }).code(),
              ErrorCode::NotAllowed)
        << table;
    expectRefused("reading sqlite_master.ROWID", str("select rowid from ", table));
  }
  for (const char* table :
       {"sqlite_temp_master", "sqlite_temp_schema", "temp.sqlite_master", "temp.sqlite_schema"}) {
    expectRefused("reading sqlite_temp_master.sql", str("select sql from ", table));
  }
  expectRefused("reading sqlite_stat1.stat", "select stat from sqlite_stat1");
  expectRefused("reading sqlite_sequence.seq", "select seq from sqlite_sequence");
  EXPECT_THROW(run("select pageno from dbstat"), Error);  // Not in every SQLite.
  allow({"sqlite_schema.name"});
  expectAllowed("select name from sqlite_master");
  expectRefused("reading sqlite_master.sql", "select sql from sqlite_schema");
}

TEST_F(CapabilitiesTest, LetJsonFunctionsBeAndNoPragmas) {
  allow({"users.name"}, {"users.name"});
  EXPECT_EQ(run("select value from json_each('[1,2]')"), "1 2 ");
  EXPECT_EQ(run("select count(*) from json_tree('[1,2]')"), "3 ");
  expectAllowed("select name from users where name in (select value from json_each('[1]', '$'))");
  expectRefused("PRAGMA table_info", "pragma table_info(users)");
  expectRefused("PRAGMA defer_foreign_keys", "pragma defer_foreign_keys = on");
  expectRefused("reading pragma_table_info.name", "select name from pragma_table_info('users')");
  expectRefused("reading pragma_table_list", "select count(*) from pragma_table_list");
  for (const char* sql :
       {"attach 'x.db' as x", "vacuum", "begin", "pragma journal_mode = delete"}) {
    EXPECT_EQ(errorOf([&] { run(sql); }).code(), ErrorCode::NotAllowed) << sql;
  }
  allow({"pragma_table_info"});
  expectAllowed("select name from pragma_table_info('users')");
  allow({"*"});
  expectAllowed("select name from pragma_table_info('users')");
  expectAllowed("pragma table_info(users)");
  expectAllowed("select sql from sqlite_schema");
}

TEST_F(CapabilitiesTest, KeepTheSchemaAsItIsUnlessEverythingIsAllowed) {
  const char* const changes[] = {
      "create table mine (a)",
      "create table mine as select * from users",
      "create index mine on users (name)",
      "create view mine as select password from users",
      "create trigger mine after insert on notes begin"
      " update notes set body = (select password from users); end",
      "alter table users rename column password to name2",
      "alter table users rename to notes2",
      "alter table users drop column age",
      "alter table users add column more",
      "drop table log",
      "drop view names",
      "drop index users_password",
      "drop trigger tags_log",
      "create virtual table mine using fts5 (a, content='users')",
      "create virtual table mine using fts5vocab ('words', 'row')",
      "drop table words",
      "analyze",
      "reindex users",
  };
  for (const auto& [reads, writes] :
       {std::pair<Names, Names>{{"users", "notes", "mine"}, {"users", "notes", "mine", "log"}},
        {{"users"}, {"*"}},
        {{"*"}, {"users", "notes", "mine", "log"}}}) {
    allow(reads, writes);
    for (const char* sql : changes) {
      SCOPED_TRACE(sql);
      const Error error = errorOf([&] { run(sql); });
      EXPECT_EQ(error.code(), ErrorCode::NotAllowed) << error.message();
    }
  }
  EXPECT_EQ(errorOf([&] { run("create table mine (a)"); }).message(),
            "changing the schema is not allowed for this session, which may not read and write "
            "everything");
  allow({"*"}, {"*"});
  expectAllowed("create table mine (a)");
  expectAllowed("select * from users natural join notes");
}

TEST_F(CapabilitiesTest, HoldWhenTheSchemaChangesUnderACachedStatement) {
  allow({"plain.id", "plain.name", "plain.password", "plain.age"}, {"log"});
  EXPECT_EQ(run("select * from plain"), "1 Ada s3cret 36 ");
  owner("alter table plain add column salary integer default 7");
  expectRefused("reading plain.salary", "select * from plain");
  expectRefused("reading plain.salary", "select * from plain");
  EXPECT_EQ(session_.cacheCounters().misses, 1u);
  EXPECT_EQ(session_.cacheCounters().hits, 2u);

  // A view in the place of a table.
  allow({"logins.user"});
  expectAllowed("select user from logins");
  owner("drop table logins");
  owner("create view logins as select password as user from users");
  expectAllowed("select user from logins");

  // A function of an index may not change who reads.
  allow({"users.id"});
  EXPECT_EQ(run("select id from users"), "1 ");
  owner("create index users_age on users (age)");
  EXPECT_EQ(run("select id from users"), "1 ");
  session_.useCapabilities(nullptr);
  EXPECT_EQ(run("select * from plain"), "1 Ada s3cret 36 7 ");
}

TEST_F(CapabilitiesTest, HoldWhenAStatementIsLentBeforeTheyChange) {
  allow({"plain"});
  Lease kept = session_.lend("select * from plain");
  allow({"log"});
  owner("alter table plain add column salary integer default 7");
  EXPECT_NO_THROW(kept->run());
  EXPECT_EQ(kept->columnCount(), 5);
  expectRefused("reading plain.id", "select * from plain");
  session_.useCapabilities(nullptr);
  Lease free = session_.lend("select * from users");
  allow({"log"});
  EXPECT_NO_THROW(free->run());
}

TEST_F(CapabilitiesTest, LetTheHostAndForeignKeyMessagesSeeEverything) {
  allow({}, {"notes"});
  expectError(ErrorCode::Conflict,
              "notes.author must name an existing users.id (SQLITE_CONSTRAINT_FOREIGNKEY)",
              [&] { run("insert into notes (author) values (99)"); });
  EXPECT_NO_THROW(session_.execute("select password from users", Rules::Host));
}

TEST_F(CapabilitiesTest, KeepARunningStatementsRulesApartFromOthers) {
  allow({"notes.id", "notes_search"});
  Lease search = session_.lend("select rowid from notes_search('words')");
  Execution execution(*search);
  EXPECT_TRUE(execution.step());
  // While the search runs, another statement is not taken for a part of it.
  expectRefused("reading notes.body", "select body from notes");
  expectRefused("reading notes_search_idx.pgno", "select pgno from notes_search_idx");
  EXPECT_TRUE(execution.step());
}

}  // namespace
}  // namespace schemascript
