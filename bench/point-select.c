// A prepared select of one row by its primary key, in C: what SQLite itself takes.
//     point-select FILE ROUNDS REPEAT        prints what one select took in each round, in
//     microseconds, as a JSON array
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static void expect(sqlite3* db, int status, int wanted) {
  if (status == wanted) return;
  fprintf(stderr, "point-select: %s\n", sqlite3_errmsg(db));
  exit(1);
}

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const int rounds = atoi(argv[2]);
  const int repeat = atoi(argv[3]);
  sqlite3* db = NULL;
  expect(db, sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL),
         SQLITE_OK);
  expect(
      db,
      sqlite3_exec(
          db, "pragma journal_mode = wal; pragma synchronous = normal; pragma cache_size = -8192",
          NULL, NULL, NULL),
      SQLITE_OK);
  sqlite3_stmt* select = NULL;
  const char* sql = "select id, name, email, created_at from users where id = ?";
  expect(db, sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &select, NULL), SQLITE_OK);
  volatile int64_t sum = 0;
  printf("[");
  for (int round = -1, index = 0; round < rounds; ++round) {
    const double begin = now_us();
    for (int i = 0; i < repeat; ++i, ++index) {
      sqlite3_bind_int64(select, 1, (int64_t)index * 7919 % 100000 + 1);
      expect(db, sqlite3_step(select), SQLITE_ROW);
      sum += sqlite3_column_int64(select, 0) + sqlite3_column_int64(select, 3);
      for (int column = 1; column <= 2; ++column) {
        const unsigned char* text = sqlite3_column_text(select, column);
        sum += text[0] + text[sqlite3_column_bytes(select, column) - 1];
      }
      expect(db, sqlite3_reset(select), SQLITE_OK);
    }
    if (round >= 0) printf("%s%.4f", round == 0 ? "" : ", ", (now_us() - begin) / repeat);
  }
  printf("]\n");
  sqlite3_finalize(select);
  return sqlite3_close(db) == SQLITE_OK ? 0 : 1;
}
