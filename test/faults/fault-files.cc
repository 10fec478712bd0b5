// SQLite's allocator and default VFS with a counter in front of each.
#include "fault-files.h"

#include <sqlite3.h>

#include <cstdlib>
#include <cstring>
#include <optional>

namespace schemascript::faults {
namespace {

// Counts down to its failure.
class Countdown {
 public:
  void start(std::uint64_t nth, Lasting lasting) {
    left_ = nth;
    lasting_ = lasting;
    fired_ = false;
  }
  bool stop() {
    left_ = 0;
    lasting_ = Lasting::Once;
    return fired_;
  }
  bool fails() {
    if (left_ == 0) return fired_ && lasting_ == Lasting::Stays;
    if (--left_ != 0) return false;
    fired_ = true;
    return true;
  }

 private:
  std::uint64_t left_ = 0;  // 0: not armed, or over.
  Lasting lasting_ = Lasting::Once;
  bool fired_ = false;
};

Countdown allocations;
sqlite3_mem_methods usual{};

std::optional<FileFault> fileFault;
Countdown fileOperations;

// The status that the operation must answer; SQLITE_OK where it is to be done.
int faultOf(FileOperation operation, FilePart part) {
  if (!fileFault || fileFault->operation != operation || fileFault->part != part) return SQLITE_OK;
  return fileOperations.fails() ? fileFault->status : SQLITE_OK;
}

// The file of the VFS below stands behind this in the memory that SQLite gives.
struct File : sqlite3_file {
  FilePart part;

  sqlite3_file* below() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

sqlite3_file* below(sqlite3_file* file) { return static_cast<File*>(file)->below(); }
FilePart partOf(sqlite3_file* file) { return static_cast<File*>(file)->part; }

int readFile(sqlite3_file* file, void* bytes, int size, sqlite3_int64 offset) {
  const int status = faultOf(FileOperation::Read, partOf(file));
  if (status == SQLITE_OK) return below(file)->pMethods->xRead(below(file), bytes, size, offset);
  if (status == SQLITE_IOERR_SHORT_READ) std::memset(bytes, 0, static_cast<std::size_t>(size));
  return status;
}

int writeFile(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  const int status = faultOf(FileOperation::Write, partOf(file));
  if (status == SQLITE_OK) return below(file)->pMethods->xWrite(below(file), bytes, size, offset);
  // A part of it is there, as when the disk became full in the middle.
  below(file)->pMethods->xWrite(below(file), bytes, size / 2, offset);
  return status;
}

int truncateFile(sqlite3_file* file, sqlite3_int64 size) {
  const int status = faultOf(FileOperation::Truncate, partOf(file));
  return status != SQLITE_OK ? status : below(file)->pMethods->xTruncate(below(file), size);
}

int lockFile(sqlite3_file* file, int level) {
  const int status = faultOf(FileOperation::Lock, partOf(file));
  return status != SQLITE_OK ? status : below(file)->pMethods->xLock(below(file), level);
}

int mapIndex(sqlite3_file* file, int region, int size, int extends, void volatile** memory) {
  const int status = faultOf(FileOperation::MapIndex, partOf(file));
  if (status == SQLITE_OK) {
    return below(file)->pMethods->xShmMap(below(file), region, size, extends, memory);
  }
  *memory = nullptr;
  return status;
}

int lockIndex(sqlite3_file* file, int first, int count, int flags) {
  // Giving a lock back does not fail.
  const bool locks = (flags & SQLITE_SHM_LOCK) != 0;
  const int status = locks ? faultOf(FileOperation::LockIndex, partOf(file)) : SQLITE_OK;
  if (status != SQLITE_OK) return status;
  return below(file)->pMethods->xShmLock(below(file), first, count, flags);
}

const sqlite3_io_methods kMethods{
    .iVersion = 2,
    .xClose = [](sqlite3_file* file) { return below(file)->pMethods->xClose(below(file)); },
    .xRead = readFile,
    .xWrite = writeFile,
    .xTruncate = truncateFile,
    .xSync = [](sqlite3_file* file, int) { return faultOf(FileOperation::Sync, partOf(file)); },
    .xFileSize =
        [](sqlite3_file* file, sqlite3_int64* size) {
          return below(file)->pMethods->xFileSize(below(file), size);
        },
    .xLock = lockFile,
    .xUnlock = [](sqlite3_file* file,
                  int level) { return below(file)->pMethods->xUnlock(below(file), level); },
    .xCheckReservedLock =
        [](sqlite3_file* file, int* answer) {
          return below(file)->pMethods->xCheckReservedLock(below(file), answer);
        },
    .xFileControl =
        [](sqlite3_file* file, int operation, void* argument) {
          return below(file)->pMethods->xFileControl(below(file), operation, argument);
        },
    .xSectorSize =
        [](sqlite3_file* file) { return below(file)->pMethods->xSectorSize(below(file)); },
    .xDeviceCharacteristics =
        [](sqlite3_file* file) {
          return below(file)->pMethods->xDeviceCharacteristics(below(file));
        },
    .xShmMap = mapIndex,
    .xShmLock = lockIndex,
    .xShmBarrier = [](sqlite3_file* file) { below(file)->pMethods->xShmBarrier(below(file)); },
    .xShmUnmap = [](sqlite3_file* file,
                    int removes) { return below(file)->pMethods->xShmUnmap(below(file), removes); },
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

sqlite3_vfs* vfsBelow(sqlite3_vfs* vfs) { return static_cast<sqlite3_vfs*>(vfs->pAppData); }

int openFile(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* outFlags) {
  auto* const own = static_cast<File*>(file);
  own->pMethods = nullptr;
  own->part = (flags & SQLITE_OPEN_MAIN_DB) != 0 ? FilePart::Database
              : (flags & SQLITE_OPEN_WAL) != 0   ? FilePart::Log
                                                 : FilePart::Other;
  const int fault = faultOf(FileOperation::Open, own->part);
  if (fault != SQLITE_OK) return fault;
  const int status = vfsBelow(vfs)->xOpen(vfsBelow(vfs), path, own->below(), flags, outFlags);
  if (own->below()->pMethods != nullptr) own->pMethods = &kMethods;
  return status;
}

}  // namespace

void installAllocator() {
  sqlite3_config(SQLITE_CONFIG_GETMALLOC, &usual);
  static sqlite3_mem_methods ours = usual;
  ours.xMalloc = [](int size) { return allocations.fails() ? nullptr : usual.xMalloc(size); };
  ours.xRealloc = [](void* bytes, int size) {
    return allocations.fails() ? nullptr : usual.xRealloc(bytes, size);
  };
  sqlite3_config(SQLITE_CONFIG_MALLOC, &ours);
}

void failAllocation(std::uint64_t nth, Lasting lasting) { allocations.start(nth, lasting); }
bool stopFailingAllocations() { return allocations.stop(); }

void installFiles() {
  static sqlite3_vfs ours = *sqlite3_vfs_find(nullptr);
  ours.pAppData = sqlite3_vfs_find(nullptr);
  ours.zName = "schemascript-faults";
  ours.szOsFile += static_cast<int>(sizeof(File));
  ours.pNext = nullptr;
  ours.xOpen = openFile;
  sqlite3_vfs_register(&ours, 1);
}

void failFile(const FileFault& fault) {
  fileFault = fault;
  fileOperations.start(fault.nth, fault.lasting);
}

bool stopFailingFiles() {
  fileFault.reset();
  return fileOperations.stop();
}

}  // namespace schemascript::faults
