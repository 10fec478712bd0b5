// SQLite from C, without any JavaScript: what nobody can be quicker than. The database is the file BENCH_DATABASE.
//
//   sqlite start            one row, as JSON
//   sqlite version          SQLite's
//   sqlite bench WORKLOAD   lines `@@ {"name", "figure"}` in microseconds, as the other contenders print them
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { kUsers = 100000, kPosts = 300000, kRows = 10000, kJoined = 100, kBlobBytes = 1048576 };
static const double kTimed = 400e3;  // Microseconds.

static sqlite3* database;
static sqlite3_stmt* statement;
static char* copied;           // Of a blob, as a binding has to copy it.
static volatile uint64_t sum;  // So that nothing that is read can be left out.

static void fail(const char* what) {
  fprintf(stderr, "%s: %s\n", what, sqlite3_errmsg(database));
  exit(1);
}

static void execute(const char* sql) {
  if (sqlite3_exec(database, sql, 0, 0, 0) != SQLITE_OK) fail(sql);
}

static void prepare(const char* sql) {
  sqlite3_finalize(statement);
  if (sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, 0) != SQLITE_OK)
    fail(sql);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static int idAt(int i, int count) { return (int)((int64_t)i * 7919 % count) + 1; }

// Runs the statement, and touches each value as a binding must. `rows`: how many there have to be.
static void readAll(int rows) {
  int count = 0;
  int result;
  while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
    ++count;
    for (int column = 0; column < sqlite3_column_count(statement); ++column) {
      if (sqlite3_column_type(statement, column) == SQLITE_INTEGER) {
        sum += (uint64_t)sqlite3_column_int64(statement, column);
      } else {
        const unsigned char* text = sqlite3_column_text(statement, column);
        const int size = sqlite3_column_bytes(statement, column);
        if (size > 0) sum += text[0] + text[size - 1];
      }
    }
  }
  if (result != SQLITE_DONE) fail("a step");
  if (count != rows) fail("wrong answer: the number of rows");
  sqlite3_reset(statement);
}

static void selectOne(int i) {
  sqlite3_bind_int(statement, 1, idAt(i, kUsers));
  readAll(1);
}

static void join(int i) {
  sqlite3_bind_int(statement, 1, idAt(i, kPosts - 10000));
  readAll(kJoined);
}

static void readMany(int i) {
  sqlite3_bind_int(statement, 1, idAt(i, kUsers - 20000));
  readAll(kRows);
}

static void readBlob(int i) {
  (void)i;
  if (sqlite3_step(statement) != SQLITE_ROW) fail("a step");
  if (sqlite3_column_bytes(statement, 0) != kBlobBytes) fail("wrong answer: a blob");
  memcpy(copied, sqlite3_column_blob(statement, 0), kBlobBytes);
  sum += (unsigned char)copied[100];
  sqlite3_reset(statement);
}

static void insert(int i) {
  static const char kBody[] = "a body of ordinary length, as people write them when they are asked to";
  char title[32];
  const int size = snprintf(title, sizeof title, "title %d", i);
  sqlite3_bind_int(statement, 1, idAt(i, kUsers));
  sqlite3_bind_text(statement, 2, title, size, SQLITE_STATIC);
  sqlite3_bind_text(statement, 3, kBody, sizeof kBody - 1, SQLITE_STATIC);
  if (sqlite3_step(statement) != SQLITE_DONE) fail("an insert");
  sqlite3_reset(statement);
}

static int compare(const void* one, const void* other) {
  const double a = *(const double*)one;
  const double b = *(const double*)other;
  return a < b ? -1 : a > b;
}

static void tell(const char* name, double figure) {
  printf("@@ {\"name\":\"%s\",\"figure\":%.3f}\n", name, figure);
}

// The median over batches of one call of `work`.
static void measure(const char* name, void (*work)(int), int batch, int timesMax) {
  enum { kBatchesMax = 100000 };
  static double figures[kBatchesMax];
  int i = 0;
  int count = 0;
  double whole = 0;
  for (int warm = 0; warm < batch; ++warm) work(i++);
  for (int done = 0; whole < kTimed && done < timesMax && count < kBatchesMax; done += batch) {
    const double begin = now();
    for (int each = 0; each < batch; ++each) work(i++);
    const double took = now() - begin;
    figures[count++] = took / batch;
    whole += took;
  }
  qsort(figures, (size_t)count, sizeof *figures, compare);
  tell(name, figures[count / 2]);
}

static void benchInserts(void) {
  prepare("insert into posts (author_id, title, body) values (?, ?, ?)");
  measure("one by one, raw", insert, 500, 10000);
  double figures[3];
  for (int round = 0; round < 3; ++round) {
    const double begin = now();
    execute("begin");
    for (int i = 0; i < kRows; ++i) insert(i);
    execute("commit");
    figures[round] = (now() - begin) / kRows;
  }
  qsort(figures, 3, sizeof *figures, compare);
  tell("in one transaction, raw", figures[1]);
}

static int start(void) {
  prepare("select id, name, email, created_at from users where id = 4242");
  if (sqlite3_step(statement) != SQLITE_ROW) fail("a row");
  printf("{\"id\":%d,\"name\":\"%s\",\"email\":\"%s\",\"createdAt\":%d}\n",
         sqlite3_column_int(statement, 0), sqlite3_column_text(statement, 1),
         sqlite3_column_text(statement, 2), sqlite3_column_int(statement, 3));
  return 0;
}

int main(int count, char** words) {
  if (count < 2) return 2;
  if (strcmp(words[1], "version") == 0) return puts(sqlite3_libversion()) < 0;
  if (sqlite3_open(getenv("BENCH_DATABASE"), &database) != SQLITE_OK) fail("the database");
  execute("pragma journal_mode = wal; pragma synchronous = normal; pragma foreign_keys = on");
  const char* workload = count > 2 ? words[2] : "";
  if (strcmp(words[1], "start") == 0) return start();
  if (strcmp(words[1], "bench") != 0) return 2;
  if (strcmp(workload, "select") == 0) {
    prepare("select id, name, email, created_at from users where id = ?");
    measure("raw", selectOne, 5000, 300000);
  } else if (strcmp(workload, "rows") == 0) {
    prepare(
        "select p.id, p.title, u.name, u.email from posts p inner join users u on u.id = p.author_id"
        " where p.id >= ? order by p.id limit 100");
    measure("join of 100, raw", join, 50, 100000);
    prepare("select id, name, email, created_at from users where id >= ? limit 10000");
    measure("10,000 rows, raw", readMany, 1, 200);
  } else if (strcmp(workload, "inserts") == 0) {
    benchInserts();
  } else if (strcmp(workload, "values") == 0) {
    copied = malloc(kBlobBytes);
    prepare("select data from blobs where id = 1");
    measure("1 MB blob, raw", readBlob, 1, 300);
    prepare("select value from ints where id = 1");
    const int isExact = sqlite3_step(statement) == SQLITE_ROW &&
                        sqlite3_column_int64(statement, 0) == 9007199254740993;
    printf("@@ {\"name\":\"2^53 + 1, as it comes\",\"figure\":\"%s\"}\n", isExact ? "exact" : "another");
  }
  return 0;
}
