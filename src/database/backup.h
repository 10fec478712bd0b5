// Copies of a database that may be in use: SQLite's backup interface,
// https://www.sqlite.org/backup.html.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

namespace schemascript {

// Called now and then, and at the end with both the same. May throw, which ends the copying.
using BackupProgress = std::function<void(std::uint64_t pagesDone, std::uint64_t pages)>;

enum class Replace : bool { No, Yes };

struct BackupResult {
  std::uint64_t bytes = 0;  // Of the copy.
};

// Makes `to` a copy of the database `from` as it is at one moment; others may go on reading and
// writing. The copy is complete, on the disk, and checked by SQLite's quick_check before it gets
// its name: whatever happens, `to` is the old file or the new one. Any thread. Throws
// InvalidRequest
// (`from` is not there or no database, `to` exists and `replace` does not say otherwise, or they
// are the same file) and Unavailable (locked, damaged, no room).
BackupResult backUp(const std::filesystem::path& from, const std::filesystem::path& to,
                    Replace replace, const BackupProgress& progress = {});

// Gives the database `to` the content of `backup`, which is checked by quick_check first; `to` is
// created if it is not there. One transaction: whoever has it open sees the old content or the new,
// and whoever writes at the moment is waited for, `busyTimeMax` of the limits long. Throws as
// backUp() does.
BackupResult restore(const std::filesystem::path& backup, const std::filesystem::path& to,
                     Replace replace, const BackupProgress& progress = {});

}  // namespace schemascript
