// Fuzz target: a session over a small database. The input is requests, each behind its length in
// two bytes; what is left is the last one. Whatever they are, each is answered or stops the run
// with a documented error, and a well-formed request still works in the end.
#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "bridge/session.h"
#include "database/connection-pool.h"
#include "database/database.h"

namespace schemascript {
namespace {

void require(bool holds, const char* claim, std::string_view about = {}) {
  if (holds) return;
  std::fprintf(stderr, "session-fuzz: it does not hold that %s: %s\n", claim,
               std::string(about.substr(0, 1'000)).c_str());
  std::abort();
}

// Small, so that they are met, and so that no input takes long.
Limits smallLimits() {
  Limits limits;
  limits.requestBytesMax = 1u << 14;
  limits.runTimeMax = std::chrono::milliseconds(60'000);
  limits.resultRowsMax = 50;
  limits.resultBytesMax = 4'000;
  limits.openTransactionsMax = 4;
  limits.parametersMax = 20;
  limits.batchParametersMax = 40;
  limits.valueBytesMax = 10'000;
  limits.sqlBytesMax = 2'000;
  limits.cursorBatchRowsMax = 3;
  limits.openCursorsMax = 2;
  limits.busyTimeMax = std::chrono::milliseconds(0);
  return limits;
}

// Ends what would run for ever: SQL can. The run has then met its limit.
class Watchdog {
 public:
  explicit Watchdog(Session& session)
      : thread_([this, &session] {
          std::unique_lock lock(mutex_);
          if (!over_.wait_for(lock, std::chrono::milliseconds(300), [this] { return isOver_; })) {
            session.interrupt();
          }
        }) {}
  ~Watchdog() {
    {
      const std::lock_guard lock(mutex_);
      isOver_ = true;
    }
    over_.notify_one();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable over_;
  bool isOver_ = false;
  std::thread thread_;
};

// What a session has told of its statements.
struct Told {
  std::uint64_t rows = 0;
  std::chrono::nanoseconds took{};

  void add(const TracedStatement& statement) {
    const std::string line = foldSql(statement.sql);
    require(line.size() <= statement.sql.size() && foldSql(line) == line,
            "SQL on one line stays as it is", statement.sql);
    require(statement.values.size() < 700, "values are cut", statement.values);
    require(statement.error.empty() || statement.changes == 0, "what failed has changed nothing");
    require(statement.waited <= statement.took, "waiting is a part of the time");
    rows += statement.rows;
    took += statement.took;
  }
};

enum class Traced : bool { No, Yes };

// All that knows how a session is made. A new database each time: what one input leaves behind
// must not decide about the next.
class Host {
 public:
  explicit Host(Traced traced)
      : session_(pool_, {.limits = smallLimits(),
                         .boundValues = traced == Traced::Yes ? BoundValueDisplay::Shown
                                                              : BoundValueDisplay::Hidden,
                         .trace = traced == Traced::Yes ? sink() : StatementSink()}),
        traced_(traced) {
    const Connection connection = pool_.lend();
    connection->execute("create table t (id integer primary key, a, b text unique)", Rules::Guest);
    connection->execute(
        "with recursive n(x) as (select 1 union all select x + 1 from n where x < 9)"
        " insert into t (a, b) select x * 1.5, 'text ' || x from n",
        Rules::Guest);
  }
  Session& session() { return session_; }

  // After finish().
  void requireAllIsTold() const {
    if (traced_ == Traced::No) return;
    require(told_.rows == session_.cost().rows, "each row is one of a statement");
    require(told_.took <= session_.cost().sqlTime, "statements take what the session takes");
  }

 private:
  StatementSink sink() {
    return [this](const TracedStatement& statement) { told_.add(statement); };
  }

  Told told_;
  ConnectionPool pool_{{.limits = smallLimits()}};
  Session session_;
  const Traced traced_;
};

// Answers nothing when the run has been stopped.
std::optional<std::string> ask(Session& session, std::string_view request) {
  std::uint32_t length = 0;
  try {
    length = session.query(std::as_bytes(std::span(request.data(), request.size())));
  } catch (const Error& error) {
    require(error.code() == ErrorCode::LimitExceeded, "nothing but a limit stops a run",
            error.message());
    return std::nullopt;
  }
  require(length != 0, "an answer is not empty");
  std::string answer;
  std::array<std::byte, 1'000> piece;
  while (const std::uint32_t count = session.copyResult(piece)) {
    answer.append(reinterpret_cast<const char*>(piece.data()), count);
  }
  require(answer.size() == length, "an answer is as long as was said");
  require(answer.front() == '{' || (answer.front() == 1 && request.front() == 1),
          "an answer has the form of its request", answer);
  require(answer.find(R"("code":"internal")") == answer.npos, "no request is a bug of ours",
          answer);
  return answer;
}

std::string_view takeRequest(std::string_view& input) {
  std::size_t size = input.size();
  if (size >= 2) {
    const auto byte = [&input](std::size_t at) { return static_cast<unsigned char>(input[at]); };
    size = std::min<std::size_t>(byte(0) | byte(1) << 8, input.size() - 2);
    input.remove_prefix(2);
  }
  const std::string_view request = input.substr(0, size);
  input.remove_prefix(size);
  return request;
}

void run(std::string_view input) {
  Host host(input.size() % 2 == 0 ? Traced::Yes : Traced::No);
  Session& session = host.session();
  const Watchdog watchdog(session);
  for (int requests = 0; requests < 50 && !input.empty(); ++requests) {
    // Exactly as large as it is, so that ASan sees a byte read beyond it.
    const std::string_view request = takeRequest(input);
    const auto exact = std::make_unique<char[]>(request.size() + 1);
    std::copy(request.begin(), request.end(), exact.get());
    if (!ask(session, {exact.get(), request.size()})) return;
  }
  session.finish();
  host.requireAllIsTold();
  const auto answer = ask(session, R"({"method":"all","sql":"select 7"})");
  require(!answer || *answer == R"({"rows":[[7]],"changes":0,"lastInsertRowid":0})",
          "the next request works", answer.value_or(""));
}

}  // namespace
}  // namespace schemascript

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* first, std::size_t size) {
  schemascript::run({reinterpret_cast<const char*>(first), size});
  return 0;
}
