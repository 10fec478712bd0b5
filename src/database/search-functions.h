// Our own bm25, highlight and snippet of FTS5. SQLite's take time with the square of a text that is
// all hits, inside of one instruction, where no deadline stops them.
#pragma once

#include <string_view>

struct sqlite3;

namespace schemascript {

class Database;

// Registers them on `raw`, if its SQLite has FTS5: the answers of SQLite 3.53, also beside an older
// one, in time linear in text and hits, or ended with SQLITE_INTERRUPT once `database` must stop.
// They differ in three things: snippet takes token counts outside of 0 to 64 for the nearer of the
// two, as SQLite does after 3.53; highlight and snippet are ended once their answer is too long;
// and tokenizers of one's own learn nothing of locales. To be called before there is an authorizer.
// `database` must outlive the connection. Answers SQLite's result code: newer versions read the
// schema here, and tell what is wrong with the file.
int registerSearchFunctions(sqlite3* raw, const Database& database);

// Whether the statement `sql` makes an FTS5 table with the option `detail`, written in full or not.
// Such a table may leave out positions: the functions above would let FTS5 read the text again, in
// time with the product of its tokens and the phrases, where nothing stops it; and SQLite 3.46
// still reads through null pointers for some searches of such tables. `sql` is one statement that
// compiles.
bool leavesOutPositions(std::string_view sql);

// Whether the statement `sql` makes a virtual table and says "porter" more often than anybody needs
// to. SQLite before 3.53 makes each of those tokenizers inside of the one before: 100,000 of them,
// in less than a megabyte, are more than a thread's stack holds. `sql` as above.
bool nestsTokenizers(std::string_view sql);

}  // namespace schemascript
