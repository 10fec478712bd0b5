// The syscall: bytes of a request in, bytes of an answer out. One guest's conversation with one
// database, as docs/protocol.md has it. The sandbox's host calls are the callers; no Wasm in here.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/limits.h"
#include "bridge/codec.h"
#include "bridge/pusher.h"
#include "bridge/statement-trace.h"
#include "bridge/tracer.h"
#include "database/connection-source.h"
#include "database/transactions.h"

namespace schemascript {

struct SessionOptions {
  Limits limits{};
  // Not empty: queries and transactions are answered `not-allowed` with this sentence. A push is
  // not concerned.
  std::string queriesRefusedBecause{};
  // Executes `push` requests. Empty: they are answered `not-allowed`.
  Pusher pusher{};
  // What changes the database is answered `not-allowed`.
  bool readOnly = false;
  // What statements may touch; null: everything. Not null: a push is answered `not-allowed`.
  std::shared_ptr<const Capabilities> capabilities{};
  // Messages about failed statements show the values that were bound. They are never shown
  // otherwise.
  BoundValueDisplay boundValues = BoundValueDisplay::Hidden;
  // Is told of every statement, as statement-trace.h says; empty: nobody is, and it costs nothing.
  // Not told of are requests that are refused before they have a connection (a malformed one, a
  // budget that is used up, a transaction that has ended), nor what finish() rolls back.
  StatementSink trace{};
};

// What a session has taken since it began.
struct SessionCost {
  // Requests that were run as SQL, begin and push among them, and each step of a batch. Not commit,
  // rollback, fetch and close. One that failed counts.
  std::uint64_t statements = 0;
  // Rows that were written to answers, those of failed requests included.
  std::uint64_t rows = 0;
  // Of all answers, encoded, and of what failed requests had written before.
  std::uint64_t answerBytes = 0;
  // From where a request has its connection until its answer is written: waiting for writers and
  // locks and encoding rows included, decoding the request not.
  std::chrono::nanoseconds sqlTime{};
};

// A guest has as many connections as it does things at the same time: one, as a rule; one more for
// each transaction that is open while it asks for something else, and for each cursor outside of
// transactions. So what it reads outside of a transaction is what is committed, without waiting.
//
// Where the source has one connection only, which is in a transaction of the host's, what is
// outside of the guest's transactions waits for their end, reading too; and cursors are beside what
// is written, as they are inside of transactions everywhere.
//
// Belongs to one thread, but for interrupt().
class Session {
 public:
  // Keeps a reference to `source`, which must outlive the session. Borrows no connection before the
  // first request.
  Session(ConnectionSource& source, SessionOptions options);
  // Without finish(), what was open is rolled back, by closing its connection.
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Executes one request and answers the length of the answer, never 0. Whatever guest code can
  // handle becomes an error answer; so does the end of one of the budgets of all requests together,
  // statementsMax, callRowsMax, callResultBytesMax and sqlTimeMax, after which only what ends
  // something is still done: commit, rollback and close. Throws LimitExceeded after interrupt(),
  // Internal, and what the trace sink throws: all of them stop the guest. `request` is read until
  // the return and not kept.
  std::uint32_t query(std::span<const std::byte> request);

  // Copies the next bytes of the waiting answer and says how many; 0 when nothing is left.
  std::uint32_t copyResult(std::span<std::byte> destination) noexcept;

  // Ends the running query, and every later one, with LimitExceeded naming runTimeMax; the wait for
  // a lock or for its turn to write, too. From any thread, any number of times, until the session
  // is destroyed.
  void interrupt() noexcept;

  // Whether others may have to wait for the guest before they can write.
  bool hasTransaction() const noexcept;

  // Of all requests so far. finish() adds nothing.
  SessionCost cost() const noexcept { return cost_; }

  // To be called when the guest has ended, however it ended: closes its cursors, rolls back what it
  // left open, gives its connections back and drops the waiting answer. Answers how many
  // transactions and savepoints were open, so that the user can be told. Throws if SQLite cannot
  // roll back one of them; that connection is closed instead, and all else is done. Throws what the
  // trace sink throws.
  std::size_t finish();

 private:
  // A connection that is in use, and what it is in use for.
  struct Seat;
  class Cursor;

  void execute(std::span<const std::byte> request);
  void executeQuery();
  void checkBudgets() const;
  void countStatements();
  void countRow();
  void countBytes() const;
  Seat& use(Seat& seat) noexcept;
  std::chrono::steady_clock::time_point startClock() noexcept;
  void stopClock() noexcept;
  std::chrono::steady_clock::time_point deadline() noexcept;
  [[noreturn]] void failTimeOver() const;
  void executeStatement();
  void executeBatch();
  void begin();
  void end();
  void push();
  void openCursor();
  void fetch();
  void close();

  Tracer::Begun tracedOf(const Step& step, std::optional<TransactionHandle> transaction) const;
  void answerRows(Statement& statement, const Step& step);
  void answerCursor(Cursor& cursor);

  Seat& seatFor(std::optional<TransactionHandle> handle);
  Seat& idleSeat();
  Seat& onlySeat();
  void letWrite(Seat& seat);
  TransactionHandle beginIn(Seat& seat, std::optional<TransactionHandle> parent, Behavior behavior);
  void commitIn(Seat& seat, TransactionHandle transaction);
  void rollbackIn(Seat& seat, TransactionHandle transaction);
  bool batchOnlyReads(Seat& seat);
  bool undoBatch(Seat& seat, TransactionHandle transaction);
  void closeCursors(const Seat& seat, std::optional<TransactionHandle> of = {}) noexcept;
  // After each request: whatever is not needed any more is given back.
  void settle() noexcept;
  bool noticeEnds();
  void throwIfInterrupted() const;

  ConnectionSource& source_;
  SessionOptions options_;
  const std::chrono::nanoseconds sqlTimeMax_;
  Writer writer_;
  std::uint32_t lastTransaction_ = 0;
  std::uint32_t lastCursor_ = 0;
  Query query_;          // Reused, for its memory.
  AnswerWriter answer_;  // The waiting answer.
  std::size_t fetched_ = 0;
  std::uint64_t rows_ = 0;  // Of the answer so far.
  SessionCost cost_;
  Tracer tracer_;
  // Since when the present request is in SQLite.
  std::optional<std::chrono::steady_clock::time_point> inSqliteSince_;
  std::vector<std::unique_ptr<Seat>> seats_;
  std::vector<std::unique_ptr<Cursor>> cursors_;  // Before the seats that they sit on.

  std::atomic<bool> interrupted_{false};
  std::mutex interruptMutex_;
  std::vector<Database*> connected_;  // Guarded by the mutex: those of seats_.
};

}  // namespace schemascript
