// One guest's requests, of every kind, in steps that happen as a whole or not at all; and what must
// hold after one of them failed.
#pragma once

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/session.h"
#include "database/connection-pool.h"

namespace schemascript::faults {

// A request that was answered with an error that the script does not expect.
class Refused : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A session with connections of its own. The only place that makes one.
class Guest {
 public:
  explicit Guest(DatabaseOptions options);
  ~Guest();

  // The answer, which is kept in transcript(). Throws Refused, and what the session throws.
  std::string ask(const std::string& request);
  // As ask(); the answer must be this error, which the transcript then has.
  void askInVain(const std::string& request, std::string_view expected);
  // Opens a transaction, or one inside of the innermost; that which is open last is where ask()'s
  // statements belong to, until commit() or rollback().
  void begin();
  void commit();
  void rollback();
  // A deferred transaction beside those: its statements name the handle that is answered, until
  // rollbackBeside().
  std::string beginBeside();
  void rollbackBeside();
  // Reads as ask() does, in pieces of two rows, as many of them as there are up to `pieces`.
  // Answers the cursor, which is left open if there may be more rows; else nothing.
  std::string iterate(std::string_view sql, std::size_t pieces, std::string_view params = "");
  void close(const std::string& cursor);
  // Those that are open are closed by the session itself.
  void forgetCursors() { cursors_.clear(); }
  // The answer must be that the request waits for a transaction.
  void askTooEarly(const std::string& request);
  // Closes cursors and rolls back what is open, as a driver does that was told of an error.
  void endAll();
  // Ends the session, as when the guest has ended.
  std::size_t finish() { return session_.finish(); }

  // A request for one statement. `params` is JSON.
  std::string statement(std::string_view method, std::string_view sql,
                        std::string_view params = "") const;
  // In the transaction `handle`, or outside of all if that is empty.
  static std::string statementIn(std::string_view handle, std::string_view method,
                                 std::string_view sql, std::string_view params = "");
  // `steps` are objects with the fields of a statement.
  std::string batch(std::string_view steps) const;

  ConnectionPool& pool() { return pool_; }
  const std::vector<std::string>& transcript() const { return transcript_; }
  void forget() { transcript_.clear(); }

 private:
  std::string answerTo(const std::string& request);
  std::string control(std::string_view method, std::string_view handle);

  void tell(const std::string& request);

  ConnectionPool pool_;
  Session session_;
  std::vector<std::string> open_;
  std::vector<std::string> beside_;
  std::vector<std::string> cursors_;
  std::vector<std::string> transcript_;
};

using Step = std::function<void(Guest&)>;

// From the removal of what is there to the last request. Each step is one request or one
// transaction.
const std::vector<Step>& script();

// What a new connection finds: tables, rows and the form of blobs.
std::string contentOf(const DatabaseOptions& options);

// The script without faults: what it answers, and the content before the first step and after each.
struct Reference {
  std::vector<std::string> transcript;
  std::vector<std::string> contents;
};
const Reference& reference();

struct Verdict {
  bool failed = false;  // A step was refused, or opening was.
  std::string message{};
};

// Runs the script with faults between `arm` and `disarm`, and checks with GoogleTest's means: the
// error is one that somebody can act on, the content is as before the failed step or after it, no
// transaction is left open, and the script then runs from its start in the same session, which
// gives back every connection in the end. `disarm` is called exactly once.
Verdict runWithFault(const DatabaseOptions& options, const std::function<void()>& arm,
                     const std::function<void()>& disarm);

}  // namespace schemascript::faults
