// The syscall: bytes of a request in, bytes of an answer out. One guest's conversation with one
// database, as docs/protocol.md has it. The sandbox's host calls are the callers; no Wasm in here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/limits.h"
#include "bridge/codec.h"
#include "bridge/pusher.h"
#include "database/transactions.h"

namespace schemascript {

struct SessionOptions {
  Limits limits{};
  // Not empty: queries and transactions are answered `not-allowed` with this sentence. A push is
  // not concerned.
  std::string queriesRefusedBecause{};
  // Executes `push` requests. Empty: they are answered `not-allowed`.
  Pusher pusher{};
};

// Belongs to one thread, but for interrupt(). Uses the database alone from construction to
// finish().
class Session {
 public:
  // Keeps a reference to `database`, which must outlive the session. Takes back an interrupt() that
  // came after the end of an earlier session.
  Session(Database& database, SessionOptions options);
  // Does not touch the database. If finish() was not called and a transaction is open, the database
  // refuses to be used again; closing it rolls back.
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Executes one request and answers the length of the answer, never 0. Whatever guest code can
  // handle becomes an error answer. Throws LimitExceeded after interrupt(), and Internal: both stop
  // the guest. `request` is read until the return and not kept.
  std::uint32_t query(std::span<const std::byte> request);

  // Copies the next bytes of the waiting answer and says how many; 0 when nothing is left.
  std::uint32_t copyResult(std::span<std::byte> destination) noexcept;

  // Ends the running query, and every later one, with LimitExceeded naming runTimeMax; the wait for
  // a lock, too. From any thread, any number of times, until the session is destroyed.
  void interrupt() noexcept;

  // To be called when the guest has ended, however it ended: rolls back what it left open and drops
  // the waiting answer. Answers how many transactions and savepoints were open, so that the user
  // can be told. Throws if SQLite cannot roll back; the database is then not to be used again.
  std::size_t finish();

 private:
  void execute(std::span<const std::byte> request);
  void executeStatement();
  void answerRows(Statement& statement);

  Database& database_;
  SessionOptions options_;
  Transactions transactions_;
  Query query_;          // Reused, for its memory.
  AnswerWriter answer_;  // The waiting answer.
  std::size_t fetched_ = 0;
};

}  // namespace schemascript
