-- What every contender queries: 100,000 users, 300,000 posts, a blob of 1 MB, and integers that no double holds.
PRAGMA page_size = 4096;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
BEGIN;
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT UNIQUE, created_at INTEGER);
CREATE TABLE posts (id INTEGER PRIMARY KEY, author_id INTEGER REFERENCES users (id), title TEXT, body TEXT);
CREATE TABLE blobs (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE ints (id INTEGER PRIMARY KEY, value INTEGER NOT NULL);
WITH RECURSIVE number (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < 100000)
INSERT INTO users SELECT i, 'User Number ' || i, 'user' || i || '@example.com', 1700000000 + i FROM number;
WITH RECURSIVE number (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < 300000)
INSERT INTO posts
SELECT i, (i * 7919) % 100000 + 1, 'Post title number ' || i, 'Body of post ' || i || ', as long as the first sentence of a letter to a friend who is far away.'
FROM number;
INSERT INTO blobs VALUES (1, randomblob(1048576));
INSERT INTO ints VALUES (1, 9007199254740993), (2, 9223372036854775807), (3, -9223372036854775808);
COMMIT;
ANALYZE;
PRAGMA wal_checkpoint(TRUNCATE);
