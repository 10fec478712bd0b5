// An app's fetch() and scheduled(), by the exports that a server uses.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "runtime/app.h"
#include "runtime/http-message.h"
#include "sandbox/testing.h"

namespace schemascript {
namespace {

using State = Progress::State;
using BodyState = Instance::BodyState;

class Fetching : public WithEngine<> {
 protected:
  // `use` gets a fresh guest of the app, on a guest's thread.
  template <typename Use>
  void with(std::string_view bundle, Use&& use) {
    const App::Loaded loaded = App::load(*engine_, *watchdog_, bundle, {});
    ASSERT_TRUE(loaded.app) << loaded.error.message;
    GuestThread::run([&] {
      Instance instance(*engine_, &loaded.app->snapshot(),
                        {.limits = {},
                         .log = [this](LogStream, std::string_view text) { written_ += text; },
                         .resetCheck = ResetCheck::Yes});
      use(instance);
      EXPECT_TRUE(instance.reset());
    });
  }

  static bool fetch(Instance& guest, std::string_view url, const HeaderFields& headers = {}) {
    return guest.fetch(encodeFetch({.method = "GET", .url = url, .headers = headers}));
  }

  static FetchResponse answer(Instance& guest) {
    const Progress progress = guest.poll();
    if (progress.state != State::Finished) {
      ADD_FAILURE() << static_cast<int>(progress.state) << ' ' << guest.failure();
      return {};
    }
    return decodeFetchResponse(guest.response());
  }

  static BodyPiece piece(Instance& guest) {
    EXPECT_TRUE(guest.next()) << guest.failure();
    const Progress progress = guest.poll();
    if (progress.state != State::Finished) {
      ADD_FAILURE() << static_cast<int>(progress.state) << ' ' << guest.failure();
      return {};
    }
    return decodePiece(guest.response());
  }

  std::string written_;
};

TEST_F(Fetching, AnswersARequest) {
  with(R"js(export default { async fetch(request, env, context) {
    const headers = new Headers({ "x-method": request.method, "x-url": request.url });
    headers.append("set-cookie", "a=1");
    headers.append("set-cookie", "b=\xe9");
    headers.set("x-got", [...request.headers].map(([name, value]) => name + "=" + value).join("|"));
    headers.set("x-env", JSON.stringify(env) + typeof context.waitUntil);
    return new Response("grüße \ud800", { status: 201, statusText: "Made", headers });
  } })js",
       [](Instance& guest) {
         ASSERT_TRUE(guest.setEnvironment(R"({"KEY":"secret"})"));
         ASSERT_TRUE(fetch(guest, "http://localhost/a?b",
                           {{"accept", "*/*"}, {"x", "\xe9"}, {"cookie", "a"}, {"cookie", "b"}}));
         const FetchResponse response = answer(guest);
         EXPECT_EQ(response.status, 201);
         EXPECT_EQ(response.reason, "Made");
         EXPECT_EQ(response.body, "grüße \uFFFD");
         EXPECT_FALSE(response.following.body);
         EXPECT_FALSE(response.following.work);
         EXPECT_EQ(response.headers, (HeaderFields{{"x-method", "GET"},
                                                   {"x-url", "http://localhost/a?b"},
                                                   {"x-got", "accept=*/*|cookie=a; b|x=\xe9"},
                                                   {"x-env", R"({"KEY":"secret"}function)"},
                                                   {"content-type", "text/plain;charset=UTF-8"},
                                                   {"set-cookie", "a=1"},
                                                   {"set-cookie", "b=\xe9"}}));
       });
}

TEST_F(Fetching, PassesBytesAndJson) {
  with(
      R"js(export default { fetch: async (request) => {
    const bytes = await request.bytes();
    return request.method === "PUT" ? new Response(bytes.reverse()) : Response.json([...bytes]);
  } })js",
      [](Instance& guest) {
        const std::string_view body("\0\xff\x80", 3);
        ASSERT_TRUE(guest.fetch(encodeFetch(
            {.method = "PUT", .url = "http://a/", .headers = {}, .body = body, .hasBody = true})));
        EXPECT_EQ(answer(guest).body, std::string_view("\x80\xff\0", 3));
        ASSERT_TRUE(guest.fetch(encodeFetch(
            {.method = "POST", .url = "http://a/", .headers = {}, .body = body, .hasBody = true})));
        EXPECT_EQ(answer(guest).body, "[0,255,128]");
        ASSERT_TRUE(fetch(guest, "http://a/"));
        EXPECT_EQ(answer(guest).body, "[]");
      });
}

TEST_F(Fetching, TakesABodyInPieces) {
  with(R"js(export default { fetch: async (request) => new Response(await request.text()) })js",
       [](Instance& guest) {
         ASSERT_TRUE(guest.fetch(encodeFetch({.method = "POST",
                                              .url = "http://a/",
                                              .headers = {},
                                              .body = "one ",
                                              .hasBody = true,
                                              .bodyFollows = true})));
         EXPECT_EQ(guest.poll().state, State::WantsBody);
         EXPECT_TRUE(guest.wantsBody());
         ASSERT_TRUE(guest.receive("two ", BodyState::Continues));
         EXPECT_EQ(guest.poll().state, State::WantsBody);
         ASSERT_TRUE(guest.receive("", BodyState::Continues));
         EXPECT_EQ(guest.poll().state, State::WantsBody);
         ASSERT_TRUE(guest.receive("three", BodyState::Last));
         EXPECT_EQ(answer(guest).body, "one two three");
         EXPECT_FALSE(guest.wantsBody());
       });
}

TEST_F(Fetching, TellsTheHandlerThatTheClientHasGone) {
  with(R"js(export default { fetch: async (request) => {
    const heard = new Promise((resolve) => request.signal.addEventListener("abort", resolve));
    const error = await request.text().catch((error) => error);
    await heard;
    return new Response([error.name, request.signal.aborted, request.signal.reason.name].join());
  } })js",
       [](Instance& guest) {
         ASSERT_TRUE(guest.fetch(encodeFetch({.method = "POST",
                                              .url = "http://a/",
                                              .headers = {},
                                              .body = "",
                                              .hasBody = true,
                                              .bodyFollows = true})));
         EXPECT_EQ(guest.poll().state, State::WantsBody);
         ASSERT_TRUE(guest.receive("", BodyState::ClientGone));
         EXPECT_EQ(answer(guest).body, "AbortError,true,AbortError");
       });
}

TEST_F(Fetching, AnswersInPiecesWhileItReads) {
  with(R"js(export default { fetch(request) {
    const upper = new TransformStream({ transform(chunk, controller) {
      controller.enqueue(chunk.map((byte) => byte - 32));
    } });
    return new Response(request.body.pipeThrough(upper));
  } })js",
       [](Instance& guest) {
         ASSERT_TRUE(guest.fetch(encodeFetch({.method = "POST",
                                              .url = "http://a/",
                                              .headers = {},
                                              .body = "one",
                                              .hasBody = true,
                                              .bodyFollows = true})));
         FetchResponse response = answer(guest);
         EXPECT_TRUE(response.following.body);
         EXPECT_EQ(response.body, "");
         BodyPiece next = piece(guest);
         EXPECT_EQ(next.bytes, "ONE");
         EXPECT_TRUE(next.following.body);
         ASSERT_TRUE(guest.next());
         EXPECT_EQ(guest.poll().state, State::WantsBody);
         ASSERT_TRUE(guest.receive("two", BodyState::Last));
         EXPECT_EQ(guest.poll().state, State::Finished);
         EXPECT_EQ(decodePiece(guest.response()).bytes, "TWO");
         next = piece(guest);
         EXPECT_EQ(next.bytes, "");
         EXPECT_FALSE(next.following.body);
       });
}

TEST_F(Fetching, WorksOnBehindTheAnswer) {
  with(R"js(export default { fetch(request, env, context) {
    const later = (ms, text) => new Promise((resolve) => setTimeout(() => (console.log(text), resolve()), ms));
    context.waitUntil(later(1, "first").then(() => context.waitUntil(later(1, "second"))));
    return new Response("done");
  } })js",
       [this](Instance& guest) {
         ASSERT_TRUE(fetch(guest, "http://a/"));
         const FetchResponse response = answer(guest);
         EXPECT_EQ(response.body, "done");
         EXPECT_TRUE(response.following.work);
         EXPECT_EQ(written_, "");
         ASSERT_TRUE(guest.next());
         while (guest.poll().state == State::Waiting) {
         }
         EXPECT_FALSE(decodePiece(guest.response()).following.work);
         EXPECT_EQ(written_, "first\nsecond\n");
       });
}

TEST_F(Fetching, RunsWhatIsScheduled) {
  with(R"js(export default { async scheduled(event, env, context) {
    console.log(event.cron, env.KEY);
    context.waitUntil(Promise.resolve());
  } })js",
       [this](Instance& guest) {
         ASSERT_TRUE(guest.setEnvironment(R"({"KEY":1})"));
         ASSERT_TRUE(guest.scheduled(R"({"cron":"* * * * *"})"));
         EXPECT_EQ(guest.poll().state, State::Finished);
         EXPECT_TRUE(decodePiece(guest.response()).following.work);
         EXPECT_FALSE(piece(guest).following.work);
         EXPECT_EQ(written_, "* * * * * 1\n");
       });
}

TEST_F(Fetching, HasAnEnvironmentThatIsEmptyWithoutASetting) {
  with(R"js(export default { fetch: (request, { KEY = "none" }) => {
    return new Response(KEY);
  } })js",
       [](Instance& guest) {
         ASSERT_TRUE(fetch(guest, "http://a/"));
         EXPECT_EQ(answer(guest).body, "none");
       });
}

TEST_F(Fetching, SaysWhatIsWrongWithTheHandler) {
  const auto failureOf = [this](std::string_view bundle, std::string_view url = "http://a/") {
    std::string failure;
    with(bundle, [&](Instance& guest) {
      if (fetch(guest, url)) {
        EXPECT_EQ(guest.poll().state, State::Failed);
      }
      failure = guest.failure();
    });
    return failure;
  };
  const auto contains = [](const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos ? "" : text;
  };
  EXPECT_EQ(contains(failureOf("export const fetch = () => {}"),
                     "the app's default export has no function fetch"),
            "");
  EXPECT_EQ(contains(failureOf("export default { fetch: 1 }"), R"("kind":"missing")"), "");
  EXPECT_EQ(contains(failureOf("export default { fetch: () => ({ status: 200 }) }"),
                     "fetch() must answer a Response"),
            "");
  EXPECT_EQ(
      contains(failureOf("export default { fetch: () => Response.error() }"), "Response.error()"),
      "");
  EXPECT_EQ(contains(failureOf("export default { fetch() { throw new RangeError('no') } }"), "no"),
            "");
  EXPECT_EQ(contains(failureOf("const r = new Response('x'); await r.text();"
                               "export default { fetch: () => r }"),
                     "already read"),
            "");
  EXPECT_EQ(
      contains(failureOf("export default { get fetch() { throw new Error('getter') } }"), "getter"),
      "");
  EXPECT_EQ(
      contains(failureOf("export default { fetch: () => new Response() }", "http://a:b/"), "URL"),
      "");
}

// The same in steps of an isolate, as a server drives it.
class FetchingInSteps : public Fetching {
 protected:
  using Step = CallStep::State;

  template <typename Use>
  void withIsolate(std::string_view bundle, Use&& use, Isolation isolation = Isolation::Request) {
    const App::Loaded loaded = App::load(*engine_, *watchdog_, bundle, {});
    ASSERT_TRUE(loaded.app) << loaded.error.message;
    GuestThread::run([&] {
      Isolate isolate(loaded.app, *watchdog_,
                      {.isolation = isolation, .resetCheck = ResetCheck::Yes});
      use(isolate);
    });
  }

  void begin(Isolate& isolate, std::string_view body = {}, bool follows = false,
             std::chrono::milliseconds timeMax = std::chrono::seconds(30)) {
    Limits limits;
    limits.runTimeMax = timeMax;
    const HeaderFields headers;
    isolate.begin(pool_, {.argument = encodeFetch({.method = "POST",
                                                   .url = "http://a/",
                                                   .headers = headers,
                                                   .body = body,
                                                   .hasBody = follows || !body.empty(),
                                                   .bodyFollows = follows}),
                          .kind = CallKind::Fetch,
                          .limits = limits});
  }

  // Up to the next step that is not a wait for a timer.
  static CallStep step(Isolate& isolate) {
    for (;;) {
      const CallStep step = isolate.advance();
      if (step.state != Step::Waits) return step;
      std::this_thread::sleep_until(step.until);
    }
  }

  ConnectionPool pool_{DatabaseOptions{}};
};

TEST_F(FetchingInSteps, GoesFromTheRequestToTheReport) {
  withIsolate(R"js(
    const ask = (sql) => JSON.parse(__host_sqlite_call(JSON.stringify({ method: "get", sql })));
    let calls = 0;
    export default { async fetch(request) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      const text = await request.text();
      return new Response(text + ask("select 42").rows[0] + ++calls, { status: 201 });
    } })js",
              [this](Isolate& isolate) {
                for (int round = 0; round < 3; ++round) {
                  begin(isolate, "body ");
                  EXPECT_TRUE(isolate.isRunning());
                  EXPECT_EQ(isolate.advance().state, Step::Waits);
                  EXPECT_EQ(step(isolate).state, Step::Response);
                  EXPECT_EQ(isolate.response().status, 201);
                  EXPECT_EQ(isolate.response().body, "body 421");
                  EXPECT_EQ(isolate.advance().state, Step::Ended);
                  EXPECT_EQ(isolate.advance().state, Step::Ended);
                  const CallReport report = isolate.finish();
                  EXPECT_FALSE(isolate.isRunning());
                  EXPECT_EQ(report.end, CallEnd::Answered) << report.error.message;
                  EXPECT_EQ(report.cost.statements, 1u);
                  EXPECT_GT(report.cost.fuel, 10u);
                }
              });
}

TEST_F(FetchingInSteps, PassesBodiesInPieces) {
  withIsolate(R"js(export default { fetch: (request, env, context) => {
    context.waitUntil(new Promise((resolve) => setTimeout(resolve, 1)));
    return new Response(request.body);
  } })js",
              [this](Isolate& isolate) {
                begin(isolate, "one", true);
                EXPECT_EQ(step(isolate).state, Step::Response);
                EXPECT_EQ(isolate.response().body, "");
                EXPECT_EQ(step(isolate).state, Step::Piece);
                EXPECT_EQ(isolate.piece().bytes, "one");
                EXPECT_EQ(isolate.advance().state, Step::WantsBody);
                EXPECT_EQ(isolate.advance().state, Step::WantsBody);
                isolate.receive("two", Instance::BodyState::Last);
                EXPECT_EQ(step(isolate).state, Step::Piece);
                EXPECT_EQ(isolate.piece().bytes, "two");
                EXPECT_TRUE(isolate.piece().following.body);
                EXPECT_EQ(step(isolate).state, Step::Piece);
                EXPECT_EQ(isolate.piece().bytes, "");
                EXPECT_FALSE(isolate.piece().following.body);
                EXPECT_TRUE(isolate.piece().following.work);
                EXPECT_EQ(step(isolate).state, Step::Piece);
                EXPECT_FALSE(isolate.piece().following.work);
                EXPECT_EQ(step(isolate).state, Step::Ended);
                EXPECT_EQ(isolate.finish().end, CallEnd::Answered);
              });
}

TEST_F(FetchingInSteps, EndsAtTheTimeLimitWhateverItWaitsFor) {
  withIsolate(R"js(export default { fetch: async (request) => {
    if ((await request.text()) === "timer") await new Promise((resolve) => setTimeout(resolve, 60_000));
    if (request.method === "POST") for (;;);
  } })js",
              [this](Isolate& isolate) {
                begin(isolate, "", true, std::chrono::milliseconds(60));
                CallStep waits = isolate.advance();
                EXPECT_EQ(waits.state, Step::WantsBody);
                std::this_thread::sleep_until(waits.until);
                EXPECT_EQ(step(isolate).state, Step::Ended);
                CallReport report = isolate.finish();
                EXPECT_EQ(report.end, CallEnd::TimeExceeded);
                EXPECT_EQ(report.error.message, "it was waiting for the body of its request");
                begin(isolate, "timer", false, std::chrono::milliseconds(60));
                EXPECT_EQ(step(isolate).state, Step::Ended);
                report = isolate.finish();
                EXPECT_EQ(report.end, CallEnd::TimeExceeded);
                EXPECT_EQ(report.error.message, "it was waiting for a timer");
                begin(isolate, "loop", false, std::chrono::milliseconds(60));
                EXPECT_EQ(step(isolate).state, Step::Ended);
                EXPECT_EQ(isolate.finish().end, CallEnd::TimeExceeded);
              });
}

TEST_F(FetchingInSteps, CanBeAbandonedAtEachStep) {
  withIsolate(R"js(
    const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
    export default { fetch: async (request) => {
      ask({ method: "begin" });
      ask({ method: "run", sql: "create table t (x)", transaction: 1 });
      await request.text();
      return new Response(new Blob(["answer"]).stream());
    } })js",
              [this](Isolate& isolate) {
                for (int steps = 0; steps < 5; ++steps) {
                  begin(isolate, "one", true);
                  for (int count = 0; count < steps; ++count) {
                    if (isolate.advance().state == Step::WantsBody) {
                      isolate.receive("", Instance::BodyState::Last);
                    }
                  }
                  isolate.abandon();
                  EXPECT_FALSE(isolate.isRunning());
                  // The transaction is gone, and the next call is like the first.
                  pool_.lend()->execute("create table t (x)", Rules::Host);
                  pool_.lend()->execute("drop table t", Rules::Host);
                }
              });
}

TEST_F(FetchingInSteps, ReportsWhatTheHandlerDidWrong) {
  withIsolate("export default { fetch() { throw new RangeError('no'); } }",
              [this](Isolate& isolate) {
                begin(isolate);
                EXPECT_EQ(step(isolate).state, Step::Ended);
                const CallReport report = isolate.finish();
                EXPECT_EQ(report.end, CallEnd::Threw);
                EXPECT_EQ(report.error.name, "RangeError");
              });
  withIsolate("export const f = 1;", [this](Isolate& isolate) {
    begin(isolate);
    EXPECT_EQ(step(isolate).state, Step::Ended);
    EXPECT_EQ(isolate.finish().end, CallEnd::NoSuchExport);
  });
}

// Routers are objects of classes, and hand requests on.
TEST_F(Fetching, CallsAnInheritedHandlerWithItsObject) {
  with(R"js(
    class App { name = "app"; async fetch(request) { return new Response(this.name + new URL(request.url).pathname); } }
    export default new App();
  )js",
       [](Instance& guest) {
         ASSERT_TRUE(fetch(guest, "http://a/x/../y"));
         EXPECT_EQ(answer(guest).body, "app/y");
       });
}

}  // namespace
}  // namespace schemascript
