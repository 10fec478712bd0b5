// Where a session has its connections from: a pool of them, or one in a transaction of the host's.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "database/database.h"
#include "database/writer-queue.h"

namespace schemascript {

class ConnectionSource;

// How a connection goes back.
struct ReturnConnection {
  ConnectionSource* source = nullptr;
  void operator()(Database* database) const noexcept;
};

// A connection on loan: nobody else has it. Goes back to its source when it leaves its scope.
class Connection {
 public:
  Connection(Connection&&) noexcept = default;
  Connection& operator=(Connection&&) = delete;
  ~Connection() = default;

  Database& operator*() const noexcept { return *database_; }
  Database* operator->() const noexcept { return database_.get(); }

 private:
  friend class ConnectionSource;
  Connection(ConnectionSource& source, Database& database) noexcept
      : database_(&database, {&source}) {}

  std::unique_ptr<Database, ReturnConnection> database_;  // Null when it was moved from.
};

// Must outlive what it lent. Whoever asks it for several connections wants them for things that a
// guest does at the same time and that must not see each other.
class ConnectionSource {
 public:
  ConnectionSource(const ConnectionSource&) = delete;
  ConnectionSource& operator=(const ConnectionSource&) = delete;

  // A connection for a guest's run, which messages say may take `runTimeMax`. Nothing when there
  // are no more: all that the guest does has to go over those that it has. A connection that is in
  // a transaction is in one of the host's: Transactions opens savepoints in it.
  virtual std::optional<Connection> tryLendForRun(std::chrono::milliseconds runTimeMax) = 0;

  // What the connections were opened with.
  Access access() const noexcept { return access_; }
  // In which order those write who share the database.
  WriterQueue& writers() noexcept { return writers_; }

 protected:
  ConnectionSource(Access access, std::uint32_t waitingWritersMax) noexcept
      : access_(access), writers_(waitingWritersMax) {}
  virtual ~ConnectionSource() = default;

  // Makes what takeBack() will get back.
  Connection lent(Database& database) noexcept { return {*this, database}; }

 private:
  friend struct ReturnConnection;

  virtual void takeBack(Database& database) noexcept = 0;

  const Access access_;
  WriterQueue writers_;
};

inline void ReturnConnection::operator()(Database* database) const noexcept {
  source->takeBack(*database);
}

}  // namespace schemascript
