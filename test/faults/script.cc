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
    : database_(std::move(options)), session_(database_, {.pusher = &push}) {}

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
  const std::string in = open_.empty() ? "" : str(R"J(,"transaction":)J", open_.back());
  return str(R"J({"method":")J", method, R"J(","sql":")J", sql, R"J(","params":[)J", params, "]",
             in, "}");
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

void Guest::rollbackAll() {
  while (!open_.empty()) {
    answerTo(control("rollback", open_.back()));
    open_.pop_back();
  }
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
    // Opening fails with an exception. So does a session whose connection is to be thrown away.
    run.verdict.abandoned = run.guest != nullptr;
    EXPECT_TRUE(run.guest == nullptr ? error.code() == ErrorCode::Unavailable
                                     : run.guest->database().isAbandoned())
        << run.verdict.message;
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
  if (run.guest != nullptr && !run.verdict.abandoned) {
    run.guest->rollbackAll();
    // Without memory a rollback may have to wait until the next request.
    Database& database = run.guest->database();
    EXPECT_TRUE(!database.inTransaction() || database.isAbandoned());
  } else {
    run.guest.reset();
  }
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
  return run.verdict;
}

}  // namespace schemascript::faults
