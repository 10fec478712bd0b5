// Lets the nth allocation of SQLite fail, or the nth operation on a file. One thread only.
#pragma once

#include <cstdint>
#include <string_view>

namespace schemascript::faults {

// Whether the fault is over after its first time or stays until it is taken away.
enum class Lasting : std::uint8_t { Once, Stays };

// To be called before anything else of SQLite.
void installAllocator();
// `nth` is counted from 1.
void failAllocation(std::uint64_t nth, Lasting lasting);
// Answers whether one has failed.
bool stopFailingAllocations();

enum class FileOperation : std::uint8_t {
  Open,
  Read,
  Write,
  Sync,
  Truncate,
  Lock,
  MapIndex,
  LockIndex
};

// Which of a database's files, by the end of its name.
enum class FilePart : std::uint8_t { Database, Log, Other };

struct FileFault {
  FileOperation operation = FileOperation::Write;
  FilePart part = FilePart::Database;
  std::uint64_t nth = 1;
  int status = 0;
  Lasting lasting = Lasting::Once;
};

// Makes a VFS over the default one the default. Files are never synchronized with it, which takes
// time and shows nothing here.
void installFiles();
void failFile(const FileFault& fault);
bool stopFailingFiles();

}  // namespace schemascript::faults
