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
#include "database/database.h"

namespace schemascript::faults {

// A request that was answered with an error that the script does not expect.
class Refused : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A connection with a session on it. The only place that makes one.
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
  // Rolls back what is open, as a driver does that was told of an error.
  void rollbackAll();

  // A request for one statement. `params` is JSON.
  std::string statement(std::string_view method, std::string_view sql,
                        std::string_view params = "") const;

  Database& database() { return database_; }
  const std::vector<std::string>& transcript() const { return transcript_; }
  void forget() { transcript_.clear(); }

 private:
  std::string answerTo(const std::string& request);
  std::string control(std::string_view method, std::string_view handle);

  Database database_;
  Session session_;
  std::vector<std::string> open_;
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
  bool failed = false;     // A step was refused, or opening was.
  bool abandoned = false;  // The connection had to be given up.
  std::string message{};
};

// Runs the script with faults between `arm` and `disarm`, and checks with GoogleTest's means: the
// error is one that somebody can act on, the content is as before the failed step or after it, no
// transaction is left open, and the script then runs from its start, on the same connection where
// that was not given up. `disarm` is called exactly once.
Verdict runWithFault(const DatabaseOptions& options, const std::function<void()>& arm,
                     const std::function<void()>& disarm);

}  // namespace schemascript::faults
