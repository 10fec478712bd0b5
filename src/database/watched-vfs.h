// The VFS of every connection: SQLite's default one, with a look at whose statement it works for.
#pragma once

struct sqlite3_vfs;

namespace schemascript {

// Made from the VFS that is the default one at the first call, and registered then for the rest of
// the process; it is never the default one itself. From any thread. Throws Internal when SQLite
// does not take it.
//
// What it does beside passing on, for the connection whose AllocationScope is open on the thread:
// - Files without a name are temporary: large sorts, materialised subqueries, journals of
//   statements. Their sizes are counted together, and a write beyond temporaryBytesMax answers
//   SQLITE_FULL. They are deleted when they are made, and so vanish with the process at the latest.
//   SQLite makes them in the first of these that can be written: $SQLITE_TMPDIR, $TMPDIR, /var/tmp,
//   /usr/tmp, /tmp, the working directory.
// - Reading a database, and both with a sorter's file, looks at the clock from time to time: one
//   instruction may read all of a database (`count(*)`), or sort what does not fit into memory.
// - It tells what was full, or could not be made: see Shortage.
sqlite3_vfs& watchedVfs();

}  // namespace schemascript
