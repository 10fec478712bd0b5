// A VFS of SQLite whose files are in memory. What each method must do is said in SQLite's
// documentation: https://sqlite.org/c3ref/io_methods.html, https://sqlite.org/lockingv3.html for
// the locks of a file, and https://sqlite.org/walformat.html for those of a write-ahead log's
// index.
//
// From outside to inside: the C functions at the end of this file are called by SQLite with a
// MemoryHandle; one MemoryStorage is behind all handles of a database; it has one MemoryContent
// for each of the database's files.
#include "database/memory-vfs.h"

#include <pthread.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <shared_mutex>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "database/allocation.h"
#include "database/database.h"
#include "database/watched-vfs.h"

namespace schemascript {
namespace {

constexpr const char* kVfsName = "schemascript-memory";
constexpr std::size_t kChunkBytes = 64 << 10;
constexpr std::size_t kPageBytes = 4096;
constexpr int kPathBytesMax = 100;
constexpr unsigned kReadsBetweenLooks = 64;  // Of one handle, at the clock.

// The headers of a write-ahead log and of each page in it, as the file format has them.
constexpr std::uint64_t kLogHeaderBytes = 32;
constexpr std::uint64_t kFrameHeaderBytes = 24;

// A log holds what SQLite lets pile up before it moves it into the database (1,000 pages), and then
// must have room for one transaction that writes every page; each with its header.
constexpr std::uint64_t logBytesMax(std::uint64_t bytesMax) {
  return bytesMax + bytesMax / 64 + (5ull << 20);
}

std::uint32_t bigEndian(const std::byte* bytes) {
  std::uint32_t number = 0;
  for (int i = 0; i < 4; ++i) number = number << 8 | std::to_integer<std::uint32_t>(bytes[i]);
  return number;
}

// std::shared_mutex lets a writer wait for as long as readers follow each other; here each of them
// is done after one copy, so the writer may go first.
class ReadWriteLock {
 public:
  ReadWriteLock() {
    pthread_rwlockattr_t attributes;
    ::pthread_rwlockattr_init(&attributes);
    ::pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    ::pthread_rwlock_init(&lock_, &attributes);
    ::pthread_rwlockattr_destroy(&attributes);
  }
  ~ReadWriteLock() { ::pthread_rwlock_destroy(&lock_); }
  ReadWriteLock(const ReadWriteLock&) = delete;
  ReadWriteLock& operator=(const ReadWriteLock&) = delete;

  // The names that std::unique_lock and std::shared_lock want.
  void lock() noexcept { ::pthread_rwlock_wrlock(&lock_); }
  void unlock() noexcept { ::pthread_rwlock_unlock(&lock_); }
  void lock_shared() noexcept { ::pthread_rwlock_rdlock(&lock_); }
  void unlock_shared() noexcept { ::pthread_rwlock_unlock(&lock_); }

 private:
  pthread_rwlock_t lock_;
};

enum class Written : std::uint8_t { All, Full };

// The bytes of one file, in chunks that never move. From any thread. Every function but the
// constructor may throw std::bad_alloc when the file grows, and has then changed nothing.
class MemoryContent {
 public:
  explicit MemoryContent(std::uint64_t bytesMax) : bytesMax_(bytesMax) {}

  // Fills up with zeros behind the end of the file. Answers how many bytes were there.
  std::size_t read(std::span<std::byte> destination, std::uint64_t offset) const;
  // A gap between the old end and `offset` becomes zeros.
  Written write(std::span<const std::byte> source, std::uint64_t offset);
  Written resize(std::uint64_t size);

  std::uint64_t size() const {
    const std::shared_lock guard(lock_);
    return size_;
  }
  std::uint64_t bytesTaken() const {
    const std::shared_lock guard(lock_);
    return chunks_.size() * kChunkBytes;
  }

 private:
  // Those with the lock in their caller.
  template <typename Action>
  void forEachPiece(std::uint64_t offset, std::size_t size, Action&& action) const;
  Written grow(std::uint64_t end);

  const std::uint64_t bytesMax_;
  mutable ReadWriteLock lock_;
  std::uint64_t size_ = 0;
  // Bytes behind size_ have any value.
  std::vector<std::unique_ptr<std::byte[]>> chunks_;
};

// Calls `action` with each chunk's part of the range, and where in the range it begins.
template <typename Action>
void MemoryContent::forEachPiece(std::uint64_t offset, std::size_t size, Action&& action) const {
  for (std::size_t done = 0; done < size;) {
    const std::uint64_t at = offset + done;
    const std::size_t inChunk = at % kChunkBytes;
    const std::size_t length = std::min(size - done, kChunkBytes - inChunk);
    action(std::span(chunks_[at / kChunkBytes].get() + inChunk, length), done);
    done += length;
  }
}

std::size_t MemoryContent::read(std::span<std::byte> destination, std::uint64_t offset) const {
  const std::shared_lock guard(lock_);
  const std::uint64_t left = size_ - std::min(offset, size_);
  const auto there = static_cast<std::size_t>(std::min<std::uint64_t>(destination.size(), left));
  forEachPiece(offset, there, [destination](std::span<const std::byte> piece, std::size_t at) {
    std::memcpy(destination.data() + at, piece.data(), piece.size());
  });
  std::fill(destination.begin() + static_cast<std::ptrdiff_t>(there), destination.end(),
            std::byte{0});
  return there;
}

Written MemoryContent::write(std::span<const std::byte> source, std::uint64_t offset) {
  const std::unique_lock guard(lock_);
  const std::uint64_t end = offset + source.size();
  if (end > size_ && grow(end) == Written::Full) return Written::Full;
  const std::uint64_t gap = offset - std::min(offset, size_);
  forEachPiece(
      offset - gap, static_cast<std::size_t>(gap),
      [](std::span<std::byte> piece, std::size_t) { std::ranges::fill(piece, std::byte{}); });
  forEachPiece(offset, source.size(), [source](std::span<std::byte> piece, std::size_t at) {
    std::memcpy(piece.data(), source.data() + at, piece.size());
  });
  size_ = std::max(size_, end);
  return Written::All;
}

Written MemoryContent::resize(std::uint64_t size) {
  const std::unique_lock guard(lock_);
  if (size > size_) {
    if (grow(size) == Written::Full) return Written::Full;
    forEachPiece(
        size_, static_cast<std::size_t>(size - size_),
        [](std::span<std::byte> piece, std::size_t) { std::ranges::fill(piece, std::byte{}); });
  }
  size_ = size;
  chunks_.resize(static_cast<std::size_t>((size + kChunkBytes - 1) / kChunkBytes));
  return Written::All;
}

Written MemoryContent::grow(std::uint64_t end) {
  if (end > bytesMax_) return Written::Full;
  const auto wanted = static_cast<std::size_t>((end + kChunkBytes - 1) / kChunkBytes);
  while (chunks_.size() < wanted) {
    chunks_.push_back(std::make_unique_for_overwrite<std::byte[]>(kChunkBytes));
  }
  return Written::All;
}

// An empty database of one page, as https://sqlite.org/fileformat2.html has it. Numbers that are
// not named are 0. SQLite would make the same, but with the writing of a log and a checkpoint.
std::array<std::byte, 108> emptyDatabase() {
  std::array<std::byte, 108> head{};
  std::memcpy(head.data(), "SQLite format 3", 16);
  const auto set = [&head](std::size_t at, unsigned value) { head[at] = std::byte(value); };
  set(16, kPageBytes >> 8);
  set(18, 2);  // Written with a write-ahead log,
  set(19, 2);  // and read.
  set(21, 64);
  set(22, 32);
  set(23, 32);
  set(31, 1);                 // Pages of the database.
  set(100, 13);               // The first page is a leaf of the table sqlite_schema, without rows;
  set(105, kPageBytes >> 8);  // they would begin at its end.
  return head;
}

enum class Part : std::uint8_t { Database, Log, Journal };
constexpr std::size_t kParts = 3;
constexpr std::array<std::string_view, kParts> kSuffixes{"", "-wal", "-journal"};

struct MemoryHandle;

// A file's locks: any number of SHARED, one RESERVED beside them; PENDING lets no further SHARED
// in, EXCLUSIVE is alone. The storage's mutex guards it.
struct FileLocks {
  int shared = 0;
  const MemoryHandle* writer = nullptr;  // Has RESERVED, PENDING or EXCLUSIVE.
  int writerLevel = SQLITE_LOCK_NONE;
};

// A lock of the log's index: the number of those who share it, or kExclusive.
using Slot = std::atomic<int>;
constexpr int kExclusive = -1;

}  // namespace

// What the connections to one database share. From any thread.
class MemoryStorage {
 public:
  MemoryStorage(std::string path, MemoryFileOptions options);
  ~MemoryStorage();
  MemoryStorage(const MemoryStorage&) = delete;
  MemoryStorage& operator=(const MemoryStorage&) = delete;

  const std::string& path() const noexcept { return path_; }
  const MemoryFileOptions& options() const noexcept { return options_; }
  std::uint64_t bytesTaken() const;

  // Null when the file does not exist and `creates` is not set.
  std::shared_ptr<MemoryContent> open(Part part, bool creates);
  // Whoever has it open keeps it. False when it does not exist.
  bool remove(Part part);
  bool exists(Part part) const;

  // The status is one of SQLite: OK or BUSY.
  int lockFile(MemoryHandle& handle, int level);
  void unlockFile(MemoryHandle& handle, int level);
  bool isReserved() const;

  // Null when the region does not exist and `extends` is not set. Valid until unmapIndex().
  std::byte* mapIndex(MemoryHandle& handle, std::size_t region, std::size_t regionBytes,
                      bool extends);
  void unmapIndex(MemoryHandle& handle);
  int lockIndex(MemoryHandle& handle, unsigned slots, bool exclusive);
  void unlockIndex(MemoryHandle& handle, unsigned slots);

 private:
  const std::string path_;
  const MemoryFileOptions options_;
  mutable std::mutex mutex_;
  // Owned together with the handles that have them open.
  std::array<std::shared_ptr<MemoryContent>, kParts> files_;
  FileLocks fileLocks_;
  // The log's index: made by the first who maps it, gone with the last.
  std::vector<std::unique_ptr<std::byte[]>> indexRegions_;
  std::size_t indexMappings_ = 0;
  // Not guarded: each is one step.
  std::array<Slot, SQLITE_SHM_NLOCK> indexLocks_{};
};

namespace {

// One file that a connection has open. SQLite gives the memory. Belongs to the connection's thread.
struct MemoryHandle : sqlite3_file {
  // Owned together with the database's MemoryFile and its other connections.
  std::shared_ptr<MemoryStorage> storage;
  std::shared_ptr<MemoryContent> content;
  Part part = Part::Database;
  int fileLock = SQLITE_LOCK_NONE;
  bool mapsIndex = false;
  unsigned sharedSlots = 0;  // Bits.
  unsigned exclusiveSlots = 0;
  std::uint32_t logPageBytes = 0;
  unsigned reads = 0;
};

// All databases of the process, and the VFS that SQLite finds them through. Never destroyed: SQLite
// keeps it as long as the process lives.
class MemoryVfs {
 public:
  static MemoryVfs& instance() {
    makeAllocationsInterruptible();
    static auto* const vfs = new MemoryVfs;
    return *vfs;
  }

  std::shared_ptr<MemoryStorage> make(MemoryFileOptions options) {
    // Outside of the lock: what fails below ends it, and its end takes the lock.
    const auto storage = std::make_shared<MemoryStorage>(
        str("/", kVfsName, "/", last_.fetch_add(1, std::memory_order_relaxed)), options);
    const std::lock_guard guard(mutex_);
    storages_.emplace(storage->path(), storage);
    return storage;
  }
  std::shared_ptr<MemoryStorage> tryFind(std::string_view path) {
    const std::lock_guard guard(mutex_);
    const auto found = storages_.find(path);
    return found == storages_.end() ? nullptr : found->second.lock();
  }
  void forget(const std::string& path) {
    const std::lock_guard guard(mutex_);
    storages_.erase(path);
  }

  // The one that was SQLite's own when ours was registered.
  sqlite3_vfs* other() const noexcept { return other_; }

 private:
  MemoryVfs();

  sqlite3_vfs* other_;
  sqlite3_vfs raw_{};
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<MemoryStorage>, std::less<>> storages_;
  std::atomic<std::uint64_t> last_{1};
};

}  // namespace

MemoryStorage::MemoryStorage(std::string path, MemoryFileOptions options)
    : path_(std::move(path)), options_(options) {
  const auto head = emptyDatabase();
  const auto database = open(Part::Database, true);
  if (database->resize(kPageBytes) == Written::Full) {
    throw invalidRequest(str("a database in memory needs ", kPageBytes,
                             " bytes at least; its bytesMax is ", options_.bytesMax));
  }
  database->write(head, 0);
}

MemoryStorage::~MemoryStorage() { MemoryVfs::instance().forget(path_); }

std::uint64_t MemoryStorage::bytesTaken() const {
  const std::lock_guard guard(mutex_);
  std::uint64_t bytes = 0;
  for (const auto& file : files_) bytes += file ? file->bytesTaken() : 0;
  return bytes;
}

std::shared_ptr<MemoryContent> MemoryStorage::open(Part part, bool creates) {
  const std::lock_guard guard(mutex_);
  auto& file = files_[static_cast<std::size_t>(part)];
  if (!file && creates) {
    const bool isDatabase = part == Part::Database;
    file = std::make_shared<MemoryContent>(isDatabase ? options_.bytesMax
                                                      : logBytesMax(options_.bytesMax));
  }
  return file;
}

bool MemoryStorage::remove(Part part) {
  const std::lock_guard guard(mutex_);
  return std::exchange(files_[static_cast<std::size_t>(part)], nullptr) != nullptr;
}

// An empty one counts as none, as SQLite's VFS for Unix has it.
bool MemoryStorage::exists(Part part) const {
  const std::lock_guard guard(mutex_);
  const auto& file = files_[static_cast<std::size_t>(part)];
  return file != nullptr && file->size() != 0;
}

int MemoryStorage::lockFile(MemoryHandle& handle, int level) {
  if (handle.fileLock >= level) return SQLITE_OK;
  const std::lock_guard guard(mutex_);
  const bool othersWrite = fileLocks_.writer != nullptr && fileLocks_.writer != &handle;
  if (level == SQLITE_LOCK_SHARED) {
    if (othersWrite && fileLocks_.writerLevel >= SQLITE_LOCK_PENDING) return SQLITE_BUSY;
    ++fileLocks_.shared;
    handle.fileLock = level;
    return SQLITE_OK;
  }
  if (othersWrite) return SQLITE_BUSY;
  // Who waits for the others to leave lets no more of them in.
  const bool waits = level == SQLITE_LOCK_EXCLUSIVE && fileLocks_.shared > 1;
  fileLocks_.writer = &handle;
  handle.fileLock = fileLocks_.writerLevel = waits ? SQLITE_LOCK_PENDING : level;
  return waits ? SQLITE_BUSY : SQLITE_OK;
}

void MemoryStorage::unlockFile(MemoryHandle& handle, int level) {
  if (handle.fileLock <= level) return;
  const std::lock_guard guard(mutex_);
  if (fileLocks_.writer == &handle) fileLocks_ = {.shared = fileLocks_.shared};
  if (level == SQLITE_LOCK_NONE) --fileLocks_.shared;
  handle.fileLock = level;
}

bool MemoryStorage::isReserved() const {
  const std::lock_guard guard(mutex_);
  return fileLocks_.writer != nullptr;
}

std::byte* MemoryStorage::mapIndex(MemoryHandle& handle, std::size_t region,
                                   std::size_t regionBytes, bool extends) {
  const std::lock_guard guard(mutex_);
  if (!handle.mapsIndex) ++indexMappings_;
  handle.mapsIndex = true;
  while (extends && indexRegions_.size() <= region) {
    indexRegions_.push_back(std::make_unique<std::byte[]>(regionBytes));  // Zeros.
  }
  return region < indexRegions_.size() ? indexRegions_[region].get() : nullptr;
}

void MemoryStorage::unmapIndex(MemoryHandle& handle) {
  if (!handle.mapsIndex) return;
  unlockIndex(handle, handle.sharedSlots | handle.exclusiveSlots);
  const std::lock_guard guard(mutex_);
  handle.mapsIndex = false;
  if (--indexMappings_ == 0) indexRegions_.clear();
}

int MemoryStorage::lockIndex(MemoryHandle& handle, unsigned slots, bool exclusive) {
  unsigned taken = 0;
  unsigned& held = exclusive ? handle.exclusiveSlots : handle.sharedSlots;
  for (unsigned i = 0; i < indexLocks_.size(); ++i) {
    if ((slots & ~held & 1u << i) == 0) continue;
    Slot& slot = indexLocks_[i];
    int users = slot.load(std::memory_order_relaxed);
    bool free = false;
    do {
      free = exclusive ? users == 0 : users != kExclusive;
    } while (free && !slot.compare_exchange_weak(users, exclusive ? kExclusive : users + 1,
                                                 std::memory_order_acq_rel));
    if (!free) {
      unlockIndex(handle, taken);
      return SQLITE_BUSY;
    }
    taken |= 1u << i;
    held |= 1u << i;
  }
  return SQLITE_OK;
}

void MemoryStorage::unlockIndex(MemoryHandle& handle, unsigned slots) {
  for (unsigned i = 0; i < indexLocks_.size(); ++i) {
    const unsigned bit = slots & 1u << i;
    if ((handle.exclusiveSlots & bit) != 0) {
      indexLocks_[i].store(0, std::memory_order_release);
    } else if ((handle.sharedSlots & bit) != 0) {
      indexLocks_[i].fetch_sub(1, std::memory_order_release);
    }
  }
  handle.exclusiveSlots &= ~slots;
  handle.sharedSlots &= ~slots;
}

namespace {

MemoryHandle& handleOf(sqlite3_file* file) noexcept { return *static_cast<MemoryHandle*>(file); }

// No exception may pass SQLite's frames; the only one that is possible has a code there.
template <typename Action>
int guarded(Action&& action) noexcept {
  try {
    return action();
  } catch (const std::bad_alloc&) {
    return SQLITE_NOMEM;
  }
}

// The largest database is a limit of the log, too: what could not be moved from there into the
// database would block it for ever.
bool passesDatabaseMax(MemoryHandle& handle, std::span<const std::byte> bytes,
                       std::uint64_t offset) {
  if (handle.part != Part::Log || bytes.size() < 12) return false;
  if (offset == 0) handle.logPageBytes = bigEndian(bytes.data() + 8);
  // Another connection may have begun the log.
  if (offset >= kLogHeaderBytes && handle.logPageBytes == 0) {
    std::array<std::byte, kLogHeaderBytes> header{};
    handle.content->read(header, 0);
    handle.logPageBytes = bigEndian(header.data() + 8);
  }
  if (offset < kLogHeaderBytes || handle.logPageBytes == 0) return false;
  if ((offset - kLogHeaderBytes) % (kFrameHeaderBytes + handle.logPageBytes) != 0) return false;
  const std::uint64_t page = bigEndian(bytes.data());
  return page * handle.logPageBytes > handle.storage->options().bytesMax;
}

int closeHandle(sqlite3_file* file) noexcept {
  MemoryHandle& handle = handleOf(file);
  if (handle.part == Part::Database) {
    handle.storage->unmapIndex(handle);
    handle.storage->unlockFile(handle, SQLITE_LOCK_NONE);
  }
  handle.~MemoryHandle();
  return SQLITE_OK;
}

// What SQLite's own `full` does not tell.
int full() noexcept {
  if (ConnectionUse* const use = AllocationScope::use()) use->shortage = Shortage::Disk;
  return SQLITE_FULL;
}

int readHandle(sqlite3_file* file, void* destination, int size, sqlite3_int64 offset) noexcept {
  // One instruction may read all of a database.
  const Database* const database = AllocationScope::database();
  if (++handleOf(file).reads % kReadsBetweenLooks == 0 && database != nullptr) {
    database->stopIfOver();
  }
  const std::span bytes(static_cast<std::byte*>(destination), static_cast<std::size_t>(size));
  const auto there = handleOf(file).content->read(bytes, static_cast<std::uint64_t>(offset));
  return there == bytes.size() ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int writeHandle(sqlite3_file* file, const void* source, int size, sqlite3_int64 at) noexcept {
  MemoryHandle& handle = handleOf(file);
  const std::span bytes(static_cast<const std::byte*>(source), static_cast<std::size_t>(size));
  const auto offset = static_cast<std::uint64_t>(at);
  if (passesDatabaseMax(handle, bytes, offset)) return full();
  return guarded([&handle, bytes, offset] {
    return handle.content->write(bytes, offset) == Written::Full ? full() : SQLITE_OK;
  });
}

int truncateHandle(sqlite3_file* file, sqlite3_int64 size) noexcept {
  return guarded([file, size] {
    const Written written = handleOf(file).content->resize(static_cast<std::uint64_t>(size));
    return written == Written::Full ? full() : SQLITE_OK;
  });
}

int sizeOfHandle(sqlite3_file* file, sqlite3_int64* size) noexcept {
  *size = static_cast<sqlite3_int64>(handleOf(file).content->size());
  return SQLITE_OK;
}

int lockHandle(sqlite3_file* file, int level) noexcept {
  return handleOf(file).storage->lockFile(handleOf(file), level);
}

int unlockHandle(sqlite3_file* file, int level) noexcept {
  handleOf(file).storage->unlockFile(handleOf(file), level);
  return SQLITE_OK;
}

int checkReserved(sqlite3_file* file, int* isReserved) noexcept {
  *isReserved = handleOf(file).storage->isReserved() ? 1 : 0;
  return SQLITE_OK;
}

int mapIndex(sqlite3_file* file, int region, int regionBytes, int extends,
             void volatile** memory) noexcept {
  return guarded([file, region, regionBytes, extends, memory] {
    *memory = handleOf(file).storage->mapIndex(handleOf(file), static_cast<std::size_t>(region),
                                               static_cast<std::size_t>(regionBytes), extends != 0);
    return SQLITE_OK;
  });
}

int lockIndex(sqlite3_file* file, int first, int count, int flags) noexcept {
  MemoryHandle& handle = handleOf(file);
  const unsigned slots = ((1u << count) - 1) << first;
  if ((flags & SQLITE_SHM_LOCK) != 0) {
    return handle.storage->lockIndex(handle, slots, (flags & SQLITE_SHM_EXCLUSIVE) != 0);
  }
  handle.storage->unlockIndex(handle, slots);
  return SQLITE_OK;
}

int unmapIndex(sqlite3_file* file, int) noexcept {
  handleOf(file).storage->unmapIndex(handleOf(file));
  return SQLITE_OK;
}

// There is no power to fail and nothing to wait for, so that SQLite need not protect itself.
int deviceCharacteristics(sqlite3_file*) noexcept {
  return SQLITE_IOCAP_ATOMIC | SQLITE_IOCAP_SAFE_APPEND | SQLITE_IOCAP_SEQUENTIAL |
         SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

const sqlite3_io_methods kHandleMethods{
    .iVersion = 2,
    .xClose = closeHandle,
    .xRead = readHandle,
    .xWrite = writeHandle,
    .xTruncate = truncateHandle,
    .xSync = [](sqlite3_file*, int) noexcept { return SQLITE_OK; },
    .xFileSize = sizeOfHandle,
    .xLock = lockHandle,
    .xUnlock = unlockHandle,
    .xCheckReservedLock = checkReserved,
    .xFileControl = [](sqlite3_file*, int, void*) noexcept { return SQLITE_NOTFOUND; },
    .xSectorSize = [](sqlite3_file*) noexcept { return static_cast<int>(kPageBytes); },
    .xDeviceCharacteristics = deviceCharacteristics,
    .xShmMap = mapIndex,
    .xShmLock = lockIndex,
    .xShmBarrier =
        [](sqlite3_file*) noexcept { std::atomic_thread_fence(std::memory_order_seq_cst); },
    .xShmUnmap = unmapIndex,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

struct Found {
  std::shared_ptr<MemoryStorage> storage;  // Null when there is none of this name.
  Part part = Part::Database;
};

Found find(MemoryVfs& vfs, std::string_view path) {
  Found found;
  for (std::size_t part = 1; part < kParts; ++part) {
    if (!path.ends_with(kSuffixes[part])) continue;
    found.part = static_cast<Part>(part);
    path.remove_suffix(kSuffixes[part].size());
    break;
  }
  found.storage = vfs.tryFind(path);
  return found;
}

MemoryVfs& vfsOf(sqlite3_vfs* raw) noexcept { return *static_cast<MemoryVfs*>(raw->pAppData); }

// A file without a name is a temporary one, which may become larger than memory.
int openFile(sqlite3_vfs* raw, const char* path, sqlite3_file* file, int flags,
             int* outFlags) noexcept {
  sqlite3_vfs* const other = vfsOf(raw).other();
  if (path == nullptr) return other->xOpen(other, path, file, flags, outFlags);
  file->pMethods = nullptr;
  return guarded([raw, path, file, flags, outFlags] {
    Found found = find(vfsOf(raw), path);
    if (!found.storage) return SQLITE_CANTOPEN;
    const bool creates = (flags & SQLITE_OPEN_CREATE) != 0;
    auto content = found.storage->open(found.part, creates);
    if (!content) return SQLITE_CANTOPEN;
    auto* const handle = new (file) MemoryHandle;
    handle->pMethods = &kHandleMethods;
    handle->storage = std::move(found.storage);
    handle->content = std::move(content);
    handle->part = found.part;
    if (outFlags != nullptr) *outFlags = flags;
    return SQLITE_OK;
  });
}

int removeFile(sqlite3_vfs* raw, const char* path, int) noexcept {
  const Found found = find(vfsOf(raw), path);
  const bool removed = found.storage && found.storage->remove(found.part);
  return removed ? SQLITE_OK : SQLITE_IOERR_DELETE_NOENT;
}

int accessFile(sqlite3_vfs* raw, const char* path, int, int* answer) noexcept {
  const Found found = find(vfsOf(raw), path);
  *answer = found.storage && found.storage->exists(found.part) ? 1 : 0;
  return SQLITE_OK;
}

int fullPath(sqlite3_vfs*, const char* path, int size, char* full) noexcept {
  const std::string_view text(path);
  if (text.size() >= static_cast<std::size_t>(size)) return SQLITE_CANTOPEN;
  full[text.copy(full, text.size())] = '\0';
  return SQLITE_OK;
}

sqlite3_vfs* otherOf(sqlite3_vfs* raw) noexcept { return vfsOf(raw).other(); }

MemoryVfs::MemoryVfs() : other_(&watchedVfs()) {
  raw_.iVersion = 2;
  raw_.szOsFile = std::max(static_cast<int>(sizeof(MemoryHandle)), other_->szOsFile);
  raw_.mxPathname = kPathBytesMax;
  raw_.zName = kVfsName;
  raw_.pAppData = this;
  raw_.xOpen = openFile;
  raw_.xDelete = removeFile;
  raw_.xAccess = accessFile;
  raw_.xFullPathname = fullPath;
  // Extensions are never loaded.
  raw_.xDlOpen = [](sqlite3_vfs*, const char*) noexcept -> void* { return nullptr; };
  raw_.xDlError = [](sqlite3_vfs*, int size, char* text) noexcept {
    if (size > 0) *text = '\0';
  };
  raw_.xDlSym = [](sqlite3_vfs*, void*, const char*) noexcept -> void (*)() { return nullptr; };
  raw_.xDlClose = [](sqlite3_vfs*, void*) noexcept {};
  raw_.xRandomness = [](sqlite3_vfs* self, int size, char* bytes) noexcept {
    return otherOf(self)->xRandomness(otherOf(self), size, bytes);
  };
  raw_.xSleep = [](sqlite3_vfs* self, int microseconds) noexcept {
    return otherOf(self)->xSleep(otherOf(self), microseconds);
  };
  raw_.xCurrentTime = [](sqlite3_vfs* self, double* days) noexcept {
    return otherOf(self)->xCurrentTime(otherOf(self), days);
  };
  raw_.xGetLastError = [](sqlite3_vfs*, int, char*) noexcept { return 0; };
  raw_.xCurrentTimeInt64 = [](sqlite3_vfs* self, sqlite3_int64* milliseconds) noexcept {
    return otherOf(self)->xCurrentTimeInt64(otherOf(self), milliseconds);
  };
  const int status = sqlite3_vfs_register(&raw_, 0);
  SS_CHECK(status == SQLITE_OK, "sqlite3_vfs_register: ", status);
}

}  // namespace

MemoryFile::MemoryFile(MemoryFileOptions options) : storage_(MemoryVfs::instance().make(options)) {}
MemoryFile::~MemoryFile() = default;
const std::string& MemoryFile::path() const noexcept { return storage_->path(); }
const char* MemoryFile::vfsName() noexcept { return kVfsName; }
const MemoryFileOptions& MemoryFile::options() const noexcept { return storage_->options(); }
std::uint64_t MemoryFile::bytesTaken() const { return storage_->bytesTaken(); }

}  // namespace schemascript
