// What each method must do is said in SQLite's documentation: https://sqlite.org/c3ref/vfs.html,
// https://sqlite.org/c3ref/io_methods.html. A WatchedFile lies before the file of the VFS below, in
// the memory that SQLite gives for both.
#include "database/watched-vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <new>

#include "base/error.h"
#include "database/allocation.h"
#include "database/connection-use.h"
#include "database/database.h"

namespace schemascript {
namespace {

// Reads of one file between two looks at the clock: some microseconds.
constexpr unsigned kReadsBetweenLooks = 16;

// SQLite aligns files to 8 bytes.
struct WatchedFile : sqlite3_file {
  ConnectionUse* use = nullptr;  // Of a temporary file that counts; it outlives the file.
  std::uint64_t size = 0;        // Of that file, as it was counted.
  bool isSorters = false;        // Nobody but a sorter reads and writes it.
  unsigned reads = 0;
};
static_assert(alignof(WatchedFile) <= 8 && sizeof(WatchedFile) % 8 == 0);

WatchedFile& watched(sqlite3_file* file) noexcept { return *static_cast<WatchedFile*>(file); }

sqlite3_file* below(sqlite3_file* file) noexcept {
  return reinterpret_cast<sqlite3_file*>(static_cast<WatchedFile*>(file) + 1);
}

const sqlite3_io_methods& methodsBelow(sqlite3_file* file) noexcept {
  return *below(file)->pMethods;
}

void tell(Shortage shortage) noexcept {
  if (ConnectionUse* const use = AllocationScope::use()) use->shortage = shortage;
}

// Counts what a temporary file has more or less than before.
void resize(WatchedFile& file, std::uint64_t size) noexcept {
  file.use->temporaryBytes += size - file.size;
  file.size = size;
}

// True when a sorter, which looks at nothing itself, must give up.
bool mustGiveUp(const WatchedFile& file) noexcept {
  const Database* const database = AllocationScope::database();
  return file.isSorters && database != nullptr && database->mustStopNow();
}

int closeFile(sqlite3_file* file) noexcept {
  if (watched(file).use != nullptr) resize(watched(file), 0);
  return methodsBelow(file).xClose(below(file));
}

int readFile(sqlite3_file* file, void* to, int size, sqlite3_int64 at) noexcept {
  WatchedFile& own = watched(file);
  if (++own.reads % kReadsBetweenLooks == 0) {
    if (mustGiveUp(own)) return SQLITE_INTERRUPT;
    // Whoever reads for a rollback must not be refused; what runs then looks by itself.
    const Database* const database = AllocationScope::database();
    if (database != nullptr) database->stopIfOver();
  }
  return methodsBelow(file).xRead(below(file), to, size, at);
}

int writeTemporary(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) noexcept {
  WatchedFile& own = watched(file);
  if (mustGiveUp(own)) return SQLITE_INTERRUPT;
  const auto end = static_cast<std::uint64_t>(at) + static_cast<std::uint64_t>(size);
  const std::uint64_t more = end > own.size ? end - own.size : 0;
  const std::uint64_t left =
      own.use->temporaryBytesMax - std::min(own.use->temporaryBytesMax, own.use->temporaryBytes);
  if (more > left) {
    own.use->shortage = Shortage::TemporaryBytes;
    return SQLITE_FULL;
  }
  const int status = methodsBelow(file).xWrite(below(file), from, size, at);
  if (status == SQLITE_FULL) tell(Shortage::TemporaryDisk);
  if (status == SQLITE_OK && more != 0) resize(own, end);
  return status;
}

int writeFile(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) noexcept {
  if (watched(file).use != nullptr) return writeTemporary(file, from, size, at);
  const int status = methodsBelow(file).xWrite(below(file), from, size, at);
  if (status == SQLITE_FULL) tell(Shortage::Disk);
  return status;
}

int truncateFile(sqlite3_file* file, sqlite3_int64 size) noexcept {
  const int status = methodsBelow(file).xTruncate(below(file), size);
  WatchedFile& own = watched(file);
  const auto bytes = static_cast<std::uint64_t>(size);
  if (status == SQLITE_OK && own.use != nullptr && bytes < own.size) resize(own, bytes);
  return status;
}

// Hints may make a file larger, which is not for those that are counted.
int controlFile(sqlite3_file* file, int operation, void* argument) noexcept {
  const bool grows = operation == SQLITE_FCNTL_SIZE_HINT || operation == SQLITE_FCNTL_CHUNK_SIZE;
  if (grows && watched(file).use != nullptr) return SQLITE_NOTFOUND;
  return methodsBelow(file).xFileControl(below(file), operation, argument);
}

// SQLite asks the version for what a file can do: each version of the VFS below has its own.
constexpr sqlite3_io_methods methodsOf(int version) {
  sqlite3_io_methods methods{};
  methods.iVersion = version;
  methods.xClose = closeFile;
  methods.xRead = readFile;
  methods.xWrite = writeFile;
  methods.xTruncate = truncateFile;
  methods.xSync = [](sqlite3_file* file, int flags) noexcept {
    return methodsBelow(file).xSync(below(file), flags);
  };
  methods.xFileSize = [](sqlite3_file* file, sqlite3_int64* size) noexcept {
    return methodsBelow(file).xFileSize(below(file), size);
  };
  methods.xLock = [](sqlite3_file* file, int level) noexcept {
    return methodsBelow(file).xLock(below(file), level);
  };
  methods.xUnlock = [](sqlite3_file* file, int level) noexcept {
    return methodsBelow(file).xUnlock(below(file), level);
  };
  methods.xCheckReservedLock = [](sqlite3_file* file, int* isReserved) noexcept {
    return methodsBelow(file).xCheckReservedLock(below(file), isReserved);
  };
  methods.xFileControl = controlFile;
  methods.xSectorSize = [](sqlite3_file* file) noexcept {
    return methodsBelow(file).xSectorSize(below(file));
  };
  methods.xDeviceCharacteristics = [](sqlite3_file* file) noexcept {
    return methodsBelow(file).xDeviceCharacteristics(below(file));
  };
  if (version >= 2) {
    methods.xShmMap = [](sqlite3_file* file, int region, int bytes, int extends,
                         void volatile** memory) noexcept {
      return methodsBelow(file).xShmMap(below(file), region, bytes, extends, memory);
    };
    methods.xShmLock = [](sqlite3_file* file, int first, int count, int flags) noexcept {
      return methodsBelow(file).xShmLock(below(file), first, count, flags);
    };
    methods.xShmBarrier = [](sqlite3_file* file) noexcept {
      methodsBelow(file).xShmBarrier(below(file));
    };
    methods.xShmUnmap = [](sqlite3_file* file, int removes) noexcept {
      return methodsBelow(file).xShmUnmap(below(file), removes);
    };
  }
  if (version >= 3) {
    methods.xFetch = [](sqlite3_file* file, sqlite3_int64 at, int size, void** memory) noexcept {
      return methodsBelow(file).xFetch(below(file), at, size, memory);
    };
    methods.xUnfetch = [](sqlite3_file* file, sqlite3_int64 at, void* memory) noexcept {
      return methodsBelow(file).xUnfetch(below(file), at, memory);
    };
  }
  return methods;
}

constexpr std::array kMethods{methodsOf(1), methodsOf(2), methodsOf(3)};

sqlite3_vfs* vfsBelow(sqlite3_vfs* vfs) noexcept {
  return static_cast<sqlite3_vfs*>(vfs->pAppData);
}

// A temporary file is of version 1: a sorter would extend one that can be mapped.
const sqlite3_io_methods* methodsFor(const sqlite3_file& other, bool isTemporary) noexcept {
  if (other.pMethods == nullptr) return nullptr;
  const int version = isTemporary ? 1 : std::clamp(other.pMethods->iVersion, 1, 3);
  return &kMethods[static_cast<std::size_t>(version - 1)];
}

int openFile(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags,
             int* outFlags) noexcept {
  auto* const own = new (file) WatchedFile;
  sqlite3_file* const other = below(file);
  other->pMethods = nullptr;
  const int status = vfsBelow(vfs)->xOpen(vfsBelow(vfs), path, other, flags, outFlags);
  const bool isTemporary = path == nullptr;
  if (isTemporary) {
    own->use = AllocationScope::use();
    own->isSorters = (flags & SQLITE_OPEN_TEMP_JOURNAL) != 0;
    if (status != SQLITE_OK) tell(Shortage::TemporaryFile);
  }
  // Also when it failed: then SQLite closes what has methods.
  own->pMethods = methodsFor(*other, isTemporary);
  return status;
}

sqlite3_vfs makeVfs(sqlite3_vfs* other) noexcept {
  sqlite3_vfs vfs{};
  vfs.iVersion = 2;
  vfs.szOsFile = static_cast<int>(sizeof(WatchedFile)) + other->szOsFile;
  vfs.mxPathname = other->mxPathname;
  vfs.zName = "schemascript";
  vfs.pAppData = other;
  vfs.xOpen = openFile;
  vfs.xDelete = [](sqlite3_vfs* self, const char* path, int syncs) noexcept {
    return vfsBelow(self)->xDelete(vfsBelow(self), path, syncs);
  };
  vfs.xAccess = [](sqlite3_vfs* self, const char* path, int flags, int* answer) noexcept {
    return vfsBelow(self)->xAccess(vfsBelow(self), path, flags, answer);
  };
  vfs.xFullPathname = [](sqlite3_vfs* self, const char* path, int size, char* full) noexcept {
    return vfsBelow(self)->xFullPathname(vfsBelow(self), path, size, full);
  };
  // Extensions are never loaded.
  vfs.xDlOpen = [](sqlite3_vfs*, const char*) noexcept -> void* { return nullptr; };
  vfs.xDlError = [](sqlite3_vfs*, int size, char* text) noexcept {
    if (size > 0) *text = '\0';
  };
  vfs.xDlSym = [](sqlite3_vfs*, void*, const char*) noexcept -> void (*)() { return nullptr; };
  vfs.xDlClose = [](sqlite3_vfs*, void*) noexcept {};
  vfs.xRandomness = [](sqlite3_vfs* self, int size, char* bytes) noexcept {
    return vfsBelow(self)->xRandomness(vfsBelow(self), size, bytes);
  };
  vfs.xSleep = [](sqlite3_vfs* self, int microseconds) noexcept {
    return vfsBelow(self)->xSleep(vfsBelow(self), microseconds);
  };
  vfs.xCurrentTime = [](sqlite3_vfs* self, double* days) noexcept {
    return vfsBelow(self)->xCurrentTime(vfsBelow(self), days);
  };
  vfs.xGetLastError = [](sqlite3_vfs* self, int size, char* text) noexcept {
    return vfsBelow(self)->xGetLastError(vfsBelow(self), size, text);
  };
  vfs.xCurrentTimeInt64 = [](sqlite3_vfs* self, sqlite3_int64* milliseconds) noexcept {
    return vfsBelow(self)->xCurrentTimeInt64(vfsBelow(self), milliseconds);
  };
  return vfs;
}

class WatchedVfs {
 public:
  WatchedVfs() {
    sqlite3_vfs* const other = sqlite3_vfs_find(nullptr);
    SS_CHECK(other != nullptr && other->iVersion >= 2, "SQLite has no VFS");
    raw_ = makeVfs(other);
    const int status = sqlite3_vfs_register(&raw_, 0);
    SS_CHECK(status == SQLITE_OK, "sqlite3_vfs_register: ", status);
  }

  sqlite3_vfs& raw() noexcept { return raw_; }

 private:
  sqlite3_vfs raw_{};
};

}  // namespace

sqlite3_vfs& watchedVfs() {
  // Never destroyed: SQLite keeps it.
  static WatchedVfs& vfs = *new WatchedVfs;
  return vfs.raw();
}

}  // namespace schemascript
