// The script, its reference, and the checks after a fault.
#include "script.h"

#include <gtest/gtest.h>

#include <optional>

#include "base/error.h"
#include "migrate/push.h"

namespace schemascript::faults {
namespace {

constexpr std::string_view kSchema =
    "create table users (id integer primary key, email text not null unique, score real) strict;"
    "create table notes (id integer primary key, owner integer not null references users (id),"
    " body text, picture blob);"
    "create index notes_owner on notes (owner);"
    "create view owners as select email, count(*) as notes from users join notes on owner ="
    " users.id group by users.id;"
    "create trigger notes_trim after insert on notes when new.body is not null begin"
    " update notes set body = trim(new.body) where id = new.id; end;";

// As a JSON string: the texts here have no quotes in them.
std::string pushRequest() { return str(R"J({"method":"push","sql":")J", kSchema, R"J("})J"); }

// A blob of 1 MB in base64.
const std::string& bigBlob() {
  static const std::string text = str(R"J({"$blob":")J", std::string(1'398'104, 'A'), R"J("})J");
  return text;
}

void addBatches(std::vector<Step>& steps) {
  steps.push_back([](Guest& guest) {
    guest.ask(guest.batch(R"J(
        {"method":"run","sql":"insert into users values (?, ?, 5)","params":[5,"e"]},
        {"method":"all","sql":"update users set score = 6 where id = 5 returning *","params":[]},
        {"method":"values","sql":"select email from users where score > ?","params":[1.5]},
        {"method":"get","sql":"select * from users where email = ?","params":["e"]})J"));
  });
  steps.push_back([](Guest& guest) {
    guest.askInVain(guest.batch(R"J(
        {"method":"run","sql":"update users set score = 9","params":[]},
        {"method":"run","sql":"insert into users values (6, 'e', 1)","params":[]},
        {"method":"run","sql":"delete from notes","params":[]})J"),
                    "statement 2 of the batch: users.email must be unique");
  });
  steps.push_back([](Guest& guest) {
    guest.ask(guest.batch(R"J({"method":"all","sql":"select id from users","params":[]})J"));
  });
  steps.push_back([](Guest& guest) {
    guest.begin();
    guest.ask(guest.statement("run", "insert into extra values (3)"));
    guest.ask(guest.batch(R"J(
        {"method":"run","sql":"insert into extra values (4)","params":[]},
        {"method":"all","sql":"insert into extra values (5) returning x","params":[]})J"));
    guest.askInVain(guest.batch(R"J(
        {"method":"run","sql":"insert into extra values (6)","params":[]},
        {"method":"run","sql":"insert into notes (owner) values (99)","params":[]})J"),
                    "statement 2 of the batch: notes.owner must name an existing users.id");
    guest.ask(guest.statement("all", "select x from extra"));
    guest.commit();
  });
}

// Five rows in pieces of two.
constexpr std::string_view kFiveRows =
    "select users.id, email, ?, picture from (select 1 as i union all select 2 union all select 3"
    " union all select 4 union all select 5), users left join notes on owner = 1"
    " where users.id = 1 order by i";

void addCursors(std::vector<Step>& steps) {
  steps.push_back([](Guest& guest) { guest.iterate(kFiveRows, 9, R"J("to its end")J"); });
  steps.push_back([](Guest& guest) {
    const std::string first = guest.iterate(kFiveRows, 2, R"J("closed")J");
    guest.ask(guest.statement("run", "update users set email = 'changed' where id = 1"));
    const std::string second = guest.iterate(kFiveRows, 1, R"J("beside it")J");
    guest.close(first);
    guest.close(second);
  });
  steps.push_back([](Guest& guest) {
    guest.begin();
    guest.ask(guest.statement("run", "insert into users values (7, 'g', null)"));
    guest.iterate("select email from users", 9);
    guest.iterate("select id from users", 1);
    guest.begin();
    guest.iterate("select id from users", 2);
    guest.rollback();
    guest.commit();
    guest.forgetCursors();  // The ends of their transactions closed them.
  });
  // The end of the session closes it.
  steps.push_back([](Guest& guest) { guest.iterate(kFiveRows, 2, R"J("left open")J"); });
}

void addSeveralTransactions(std::vector<Step>& steps) {
  const std::string_view count = "select count(*) from extra";
  steps.push_back([count](Guest& guest) {
    guest.begin();
    guest.ask(guest.statement("run", "insert into extra values (10)"));
    guest.ask(Guest::statementIn("", "all", count));
    guest.askTooEarly(Guest::statementIn("", "run", "insert into extra values (11)"));
    guest.askTooEarly(R"J({"method":"begin"})J");
    guest.ask(guest.statement("all", count));
    guest.commit();
    guest.ask(Guest::statementIn("", "all", count));
  });
  steps.push_back([count](Guest& guest) {
    const std::string beside = guest.beginBeside();
    guest.ask(Guest::statementIn(beside, "all", count));
    guest.begin();
    guest.ask(guest.statement("run", "insert into extra values (12)"));
    guest.askTooEarly(Guest::statementIn(beside, "run", "insert into extra values (13)"));
    guest.commit();
    guest.ask(Guest::statementIn(beside, "all", count));  // As when it began.
    guest.rollbackBeside();
  });
  steps.push_back([](Guest& guest) {
    const std::string beside = guest.beginBeside();
    guest.ask(Guest::statementIn(beside, "run", "delete from extra"));
    guest.askTooEarly(R"J({"method":"begin"})J");
    guest.rollbackBeside();
  });
}

std::vector<Step> makeScript() {
  std::vector<Step> steps;
  const auto ask = [&steps](std::string_view method, std::string sql, std::string params = "") {
    steps.push_back([method, sql = std::move(sql), params = std::move(params)](Guest& guest) {
      guest.ask(guest.statement(method, sql, params));
    });
  };
  for (const char* name : {"view if exists owners", "table if exists notes",
                           "table if exists users", "table if exists extra"}) {
    ask("run", str("drop ", name));
  }
  steps.push_back([](Guest& guest) { guest.ask(pushRequest()); });
  steps.push_back([](Guest& guest) { guest.ask(pushRequest()); });  // All of it is there.
  ask("run", "create table extra (x)");
  ask("run", "insert into users values (?, ?, ?), (2, 'b', null)", R"J(1,"a@x.org",0.5)J");
  ask("run", "insert into notes (owner, body, picture) values (?, ?, ?)",
      R"J(1,"  first  ",{"$blob":"AQID"})J");
  ask("all", "select * from users order by id");
  ask("values", "select * from notes where owner = ? and picture is not ?", "1,null");
  ask("get", "select email, score from users where id = ?", "1");
  ask("all",
      "select instr(picture, x'02'), instr(body, x'73'), replace(body, 'r', '-_longer_-'),"
      " instr(body, 's'), ltrim(body, 'f'), body like '%st', body glob 'f*', zeroblob(3),"
      " replace(body, 'st', ?), instr(zeroblob(9), x'01') from notes",
      R"J("--------------------")J");
  steps.push_back([](Guest& guest) {
    guest.askInVain(guest.statement("run", "insert into users values (3, 'a@x.org', 1)"),
                    "users.email must be unique (SQLITE_CONSTRAINT_UNIQUE)");
  });
  steps.push_back([](Guest& guest) {
    guest.askInVain(guest.statement("run", "insert into notes (owner) values (99)"),
                    "notes.owner must name an existing users.id (SQLITE_CONSTRAINT_FOREIGNKEY)");
  });
  ask("all", "update users set score = score + 1 where id = ? returning id, score", "1");
  ask("run", "insert into notes (owner, picture) values (2, ?)", bigBlob());
  ask("all", "select length(picture), picture from notes where owner = 2");
  steps.push_back([](Guest& guest) {
    guest.begin();
    guest.ask(guest.statement("run", "insert into users values (4, 'd', 4)"));
    guest.begin();
    guest.ask(guest.statement("run", "update users set score = -1"));
    guest.rollback();
    guest.begin();
    guest.ask(guest.statement("run", "update users set score = 7 where id = 4"));
    guest.ask(guest.statement("all", "insert into extra values (1), (2) returning x"));
    guest.commit();
    guest.ask(guest.statement("all", "select * from owners order by email"));
    guest.commit();
  });
  steps.push_back([](Guest& guest) {
    guest.begin();
    guest.ask(guest.statement("run", "delete from notes"));
    guest.ask(guest.statement("run", "delete from users"));
    guest.rollback();
  });
  addBatches(steps);
  addCursors(steps);
  addSeveralTransactions(steps);
  ask("all", "select count(*), sum(score), max(email) from users");
  ask("run", "delete from notes where owner = 2");
  return steps;
}

// A code of docs/protocol.md that guest code can act on.
bool isActionable(std::string_view answer) {
  for (const char* code : {"unavailable", "conflict", "limit-exceeded"}) {
    if (answer.find(str(R"J("code":")J", code)) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

Guest::Guest(DatabaseOptions options)
    : pool_(std::move(options)),
      session_(pool_, {.limits = {.cursorBatchRowsMax = 2}, .pusher = &push}) {}

Guest::~Guest() {
  try {
    session_.finish();
  } catch (const Error&) {
    // A fault; the end of the connection rolls back.
  }
}

std::string Guest::answerTo(const std::string& request) {
  const std::uint32_t length = session_.query(std::as_bytes(std::span(request)));
  std::string answer(length, '\0');
  EXPECT_EQ(session_.copyResult(std::as_writable_bytes(std::span(answer))), length);
  return answer;
}

std::string Guest::ask(const std::string& request) {
  std::string answer = answerTo(request);
  if (answer.starts_with(R"J({"error")J")) throw Refused(answer);
  transcript_.push_back(answer);
  return answer;
}

void Guest::askInVain(const std::string& request, std::string_view expected) {
  std::string answer = answerTo(request);
  if (answer.find(str(R"J("message":")J", expected)) == std::string::npos) throw Refused(answer);
  transcript_.push_back(std::move(answer));
}

std::string Guest::statement(std::string_view method, std::string_view sql,
                             std::string_view params) const {
  return statementIn(open_.empty() ? "" : open_.back(), method, sql, params);
}

std::string Guest::statementIn(std::string_view handle, std::string_view method,
                               std::string_view sql, std::string_view params) {
  const std::string in = handle.empty() ? "" : str(R"J(,"transaction":)J", handle);
  return str(R"J({"method":")J", method, R"J(","sql":")J", sql, R"J(","params":[)J", params, "]",
             in, "}");
}

std::string Guest::batch(std::string_view steps) const {
  const std::string in = open_.empty() ? "" : str(R"J(,"transaction":)J", open_.back());
  return str(R"J({"method":"batch","steps":[)J", steps, "]", in, "}");
}

std::string Guest::control(std::string_view method, std::string_view handle) {
  return str(R"J({"method":")J", method, "\"",
             handle.empty() ? "" : str(R"J(,"transaction":)J", handle), "}");
}

void Guest::begin() {
  const std::string answer = answerTo(control("begin", open_.empty() ? "" : open_.back()));
  constexpr std::string_view kBefore = R"J({"transaction":)J";
  if (!answer.starts_with(kBefore)) throw Refused(answer);
  open_.push_back(answer.substr(kBefore.size(), answer.size() - kBefore.size() - 1));
}

void Guest::commit() {
  ask(control("commit", open_.back()));
  open_.pop_back();
}

void Guest::rollback() {
  ask(control("rollback", open_.back()));
  open_.pop_back();
}

std::string Guest::beginBeside() {
  const std::string answer = answerTo(R"J({"method":"begin","behavior":"deferred"})J");
  constexpr std::string_view kBefore = R"J({"transaction":)J";
  if (!answer.starts_with(kBefore)) throw Refused(answer);
  return beside_.emplace_back(answer.substr(kBefore.size(), answer.size() - kBefore.size() - 1));
}

void Guest::rollbackBeside() {
  ask(control("rollback", beside_.back()));
  beside_.pop_back();
}

// What cursors are called is not a part of the transcript: it differs when the script runs again.
std::string Guest::iterate(std::string_view sql, std::size_t pieces, std::string_view params) {
  constexpr std::string_view kBefore = R"J(,"cursor":)J";
  std::string cursor;
  std::string request = statement("iterate", sql, params);
  for (std::size_t piece = 0; piece < pieces; ++piece) {
    std::string answer = answerTo(request);
    const bool failed = answer.starts_with(R"J({"error")J");
    const auto at = failed ? std::string::npos : answer.rfind(kBefore);
    if (at == std::string::npos && !cursor.empty()) {
      std::erase(cursors_, cursor);  // At its end, or failed.
      cursor.clear();
    }
    if (failed) throw Refused(answer);
    transcript_.push_back(answer.substr(0, at));
    if (at == std::string::npos) break;
    if (cursor.empty()) {
      cursor = answer.substr(at + kBefore.size(), answer.size() - at - kBefore.size() - 1);
      cursors_.push_back(cursor);
    }
    request = str(R"J({"method":"fetch","cursor":)J", cursor, "}");
  }
  return cursor;
}

void Guest::close(const std::string& cursor) {
  ask(str(R"J({"method":"close","cursor":)J", cursor, "}"));
  std::erase(cursors_, cursor);
}

void Guest::askTooEarly(const std::string& request) {
  const std::string answer = answerTo(request);
  if (answer.find(R"J("waitsFor":)J") == std::string::npos) throw Refused(answer);
}

void Guest::tell(const std::string& request) {
  try {
    answerTo(request);
  } catch (const Error& error) {
    ADD_FAILURE() << "ending what is open stopped the guest: " << error.what();
  }
}

void Guest::endAll() {
  for (const std::string& cursor : cursors_) {
    tell(str(R"J({"method":"close","cursor":)J", cursor, "}"));
  }
  for (auto* stack : {&open_, &beside_}) {
    for (; !stack->empty(); stack->pop_back()) tell(control("rollback", stack->back()));
  }
  cursors_.clear();
}

const std::vector<Step>& script() {
  static const std::vector<Step> steps = makeScript();
  return steps;
}

std::string contentOf(const DatabaseOptions& options) {
  Database database(options);
  std::string text;
  const auto add = [&database, &text](std::string_view sql) {
    Statement statement = database.prepare(sql, Rules::Host);
    Execution execution(statement);
    while (execution.step()) text += str(execution.column(0).bytes, "\n");
  };
  add("pragma integrity_check");
  add("select name || ' ' || coalesce(sql, '') from sqlite_schema order by name");
  for (const char* table : {"users", "notes", "extra"}) {
    Statement exists = database.prepare("select 1 from sqlite_schema where name = ?", Rules::Host);
    const ValueView name = ValueView::ofText(table);
    Execution execution(exists, {&name, 1});
    if (!execution.step()) continue;
    add(std::string_view(table) == "users"
            ? "select id || ' ' || email || ' ' || coalesce(score, 'null') from users order by id"
        : std::string_view(table) == "notes"
            ? "select id || ' ' || owner || ' ' || coalesce(body, 'null') || ' ' ||"
              " length(picture) || hex(substr(picture, 1, 9)) from notes order by id"
            : "select 'extra ' || x from extra order by x");
  }
  return text;
}

const Reference& reference() {
  static const Reference made = [] {
    Reference result;
    const DatabaseOptions options{.memory = std::make_shared<MemoryFile>()};
    Guest guest(options);
    result.contents.push_back(contentOf(options));
    for (const Step& step : script()) {
      step(guest);
      result.contents.push_back(contentOf(options));
    }
    result.transcript = guest.transcript();
    return result;
  }();
  return made;
}

namespace {

// What the faulty run left behind.
struct Run {
  Verdict verdict;
  std::unique_ptr<Guest> guest;  // Null when opening failed.
  std::size_t stepsDone = 0;
};

Run runFaulty(const DatabaseOptions& options) {
  Run run;
  try {
    run.guest = std::make_unique<Guest>(options);
    for (const Step& step : script()) {
      step(*run.guest);
      ++run.stepsDone;
    }
  } catch (const Refused& refused) {
    run.verdict = {.failed = true, .message = refused.what()};
    EXPECT_TRUE(isActionable(refused.what())) << refused.what();
  } catch (const Error& error) {
    run.verdict = {.failed = true, .message = str(nameOf(error.code()), ": ", error.message())};
    // Opening fails with an exception. Nothing else stops a guest.
    EXPECT_TRUE(run.guest == nullptr && error.code() == ErrorCode::Unavailable)
        << run.verdict.message;
    run.guest.reset();
  }
  return run;
}

}  // namespace

Verdict runWithFault(const DatabaseOptions& options, const std::function<void()>& arm,
                     const std::function<void()>& disarm) {
  const Reference& expected = reference();
  arm();
  Run run = runFaulty(options);
  disarm();
  SCOPED_TRACE(str("step ", run.stepsDone, ": ", run.verdict.message));
  if (!run.verdict.failed) {
    EXPECT_EQ(run.guest->transcript(), expected.transcript);
    EXPECT_EQ(contentOf(options), expected.contents.back());
  }
  if (run.guest != nullptr && run.verdict.failed) run.guest->endAll();
  const std::string content = contentOf(options);
  const std::string& after = expected.contents[std::min(run.stepsDone + 1, script().size())];
  EXPECT_TRUE(content == expected.contents[run.stepsDone] || content == after)
      << content << "\nafter the step it would be\n"
      << after;

  if (run.guest == nullptr) run.guest = std::make_unique<Guest>(options);
  run.guest->forget();
  try {
    for (const Step& step : script()) step(*run.guest);
  } catch (const std::exception& error) {
    ADD_FAILURE() << "the script does not run again: " << error.what();
    return run.verdict;
  }
  EXPECT_EQ(run.guest->transcript(), expected.transcript);
  EXPECT_EQ(contentOf(options), expected.contents.back());
  EXPECT_EQ(run.guest->finish(), 0u);
  EXPECT_EQ(run.guest->pool().counters().lent, 0u);
  return run.verdict;
}

}  // namespace schemascript::faults
