// A service over real sockets with a real guest: what clients get for each way in which a call can
// end, and what they do not notice of each other.
#include "serve/service.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/testing.h"
#include "sandbox/testing.h"

namespace schemascript {
namespace {

using namespace std::chrono_literals;

// No test waits so long unless it fails.
constexpr auto kPatience = 30s;

constexpr std::string_view kApp = R"js(
  let count = 0;
  const sql = (text) => __host_sqlite.all(__host_sqlite.statement(text), [], 0);
  const handlers = {
    "/": (request) => new Response(request.url),
    "/throw": () => { throw new TypeError("not today"); },
    "/loop": () => { for (;;); },
    "/fill": () => { const all = []; for (;;) all.push(new Uint8Array(1e6)); },
    "/never": () => new Promise(() => {}),
    "/none": () => undefined,
    "/count": () => new Response(String(++count)),
    "/id": (request) => new Response(request.headers.get("x-request-id")),
    "/own-id": () => new Response("", { headers: { "x-request-id": "mine" } }),
    "/env": (request, env) => Response.json(env),
    "/cookies": () => {
      const headers = new Headers();
      headers.append("set-cookie", "a=1");
      headers.append("set-cookie", "b=2");
      return new Response("", { headers });
    },
    "/length": () => new Response("four", { headers: { "content-length": "5" } }),
    "/control": () => new Response("", { headers: { "x-bell": "a\x07b" } }),
    "/echo": (request) => new Response(request.body),
    "/large": () => {
      let left = 64;
      return new Response(new ReadableStream({
        pull(controller) {
          if (left-- === 0) return controller.close();
          controller.enqueue(new Uint8Array(65536).fill(120));
        },
      }));
    },
    "/later": (request, env, context) => {
      context.waitUntil(new Promise((resolve) => setTimeout(resolve, 20))
        .then(() => console.log("done later")));
      return new Response("now");
    },
    "/loop-later": (request, env, context) => {
      context.waitUntil(new Promise((resolve) => setTimeout(resolve, 5)).then(() => { for (;;); }));
      return new Response("now");
    },
    "/add": () => {
      sql("INSERT INTO notes VALUES (1)");
      return new Response(String(sql("SELECT count(*) FROM notes")[0][0]));
    },
    "/hold": async () => {
      const transaction = __host_sqlite.begin("immediate", 0);
      __host_sqlite.run(__host_sqlite.statement("INSERT INTO notes VALUES (1)"), [], transaction);
      console.log("holding");
      await new Promise((resolve) => setTimeout(resolve, 3600000));
    },
  };
  export default {
    fetch: (request, env, context) => {
      const handler = handlers[new URL(request.url).pathname];
      return handler ? handler(request, env, context) : new Response("", { status: 418 });
    },
    scheduled: (event) => { if (event.cron === "loop") for (;;); },
  };
)js";

class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto size = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
  }
  // All until the server closes.
  std::string receive() {
    std::string all;
    pollfd readable{socket_, POLLIN, 0};
    char bytes[65'536];
    while (::poll(&readable, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count())) >
           0) {
      const auto size = ::recv(socket_, bytes, sizeof bytes, 0);
      if (size <= 0) return all;
      all.append(bytes, static_cast<std::size_t>(size));
    }
    ADD_FAILURE() << "nothing came after " << all.substr(0, 200);
    return all;
  }
  // A reset, as of a process that was killed.
  void abandon() {
    const linger hard{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    ::close(socket_);
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
  }

 private:
  int socket_;
};

struct Answer {
  explicit Answer(const std::string& text) {
    const std::size_t end = text.find("\r\n\r\n");
    if (end == std::string::npos) return;
    status = std::atoi(text.c_str() + 9);
    head = text.substr(0, end + 2);
    for (char& letter : head) letter = static_cast<char>(std::tolower(letter));
    body = text.substr(end + 4);
  }
  bool has(std::string_view field) const {
    return head.find(str("\r\n", field, "\r\n")) != head.npos;
  }

  int status = 0;    // 0: there was none.
  std::string head;  // In lower case.
  std::string body;
};

std::string requestOf(std::string_view path, std::string_view headers = "",
                      std::string_view method = "GET", std::string_view host = "a.test") {
  return str(method, ' ', path, " HTTP/1.1\r\nHost: ", host, "\r\nConnection: close\r\n", headers,
             "\r\n");
}

class Serving : public WithEngine<> {
 protected:
  void TearDown() override {
    service_.reset();
    log_.reset();
    if (logFile_ != nullptr) std::fclose(logFile_);
  }

  static ServedApp load(Limits limits = {}, std::string_view bundle = kApp,
                        std::string environment = {}) {
    AppOptions options;
    options.limits = limits;
    options.environment = std::move(environment);
    App::Loaded loaded = App::load(*engine_, *watchdog_, bundle, std::move(options));
    EXPECT_TRUE(loaded.app) << loaded.error.message;
    return {.app = std::move(loaded.app)};
  }

  static void makeDatabase(const std::filesystem::path& file) {
    Database({.file = file}).execute("CREATE TABLE notes (x)", Rules::Host);
  }

  ServiceOptions options() {
    const std::filesystem::path file = folder_ / "app.db";
    makeDatabase(file);
    ServiceOptions options;
    options.workers.threads = 2;
    options.database = std::make_shared<ConnectionPool>(DatabaseOptions{.file = file});
    return options;
  }
  ServiceOptions tenantOptions(TenantSource source) {
    std::filesystem::create_directory(folder_ / "tenants");
    ServiceOptions options;
    options.workers.threads = 2;
    options.tenants = TenantsOptions{.folder = folder_ / "tenants"};
    options.tenantFrom = std::move(source);
    return options;
  }
  void makeTenant(std::string_view name) {
    makeDatabase(folder_ / "tenants" / (std::string(name) + ".db"));
  }

  void serve(ServiceOptions options, ServedApp app) {
    logFile_ = std::fopen((folder_ / "log").c_str(), "w");
    log_.emplace(::fileno(logFile_));
    options.log = &*log_;
    service_.emplace(*watchdog_, std::move(app), std::move(options));
    service_->start();
  }
  void serve(Limits limits = {}) { serve(options(), load(limits)); }

  Answer ask(std::string_view path, std::string_view headers = "", std::string_view method = "GET",
             std::string_view host = "a.test") {
    Client client(service_->port());
    client.send(requestOf(path, headers, method, host));
    return Answer(client.receive());
  }

  std::string logText() {
    log_->flush();
    return readFile(folder_ / "log");
  }
  void untilLogHas(std::string_view text) {
    const auto giveUpAt = std::chrono::steady_clock::now() + kPatience;
    while (logText().find(text) == std::string::npos) {
      ASSERT_LT(std::chrono::steady_clock::now(), giveUpAt) << text << " is not in " << logText();
      std::this_thread::sleep_for(2ms);
    }
  }
  std::uint64_t metric(std::string_view name) {
    const std::string page = str('\n', service_->renderMetrics());
    const std::size_t at = page.find(str('\n', name, ' '));
    if (at == std::string::npos) return ADD_FAILURE() << name, 0;
    return std::stoull(page.substr(at + name.size() + 2));
  }
  void untilMetric(std::string_view name, std::uint64_t value) {
    const auto giveUpAt = std::chrono::steady_clock::now() + kPatience;
    while (metric(name) != value) {
      ASSERT_LT(std::chrono::steady_clock::now(), giveUpAt) << name << " is " << metric(name);
      std::this_thread::sleep_for(2ms);
    }
  }

  TemporaryFolder folder_;
  std::FILE* logFile_ = nullptr;
  std::optional<RequestLog> log_;
  std::optional<Service> service_;
};

TEST_F(Serving, HasAStatusForEachEnd) {
  serve({.runTimeMax = 2s});
  EXPECT_EQ(ask("/").body, "http://a.test/");
  EXPECT_EQ(ask("/nothing").status, 418);
  struct Case {
    const char* path;
    int status;
    const char* error;
  };
  for (const Case& one : {Case{"/throw", 500, "TypeError"}, Case{"/loop", 504, "TimeExceeded"},
                          Case{"/fill", 500, "MemoryExceeded"}, Case{"/never", 500, "NeverSettles"},
                          Case{"/none", 500, "TypeError"}}) {
    const Answer answer = ask(one.path);
    EXPECT_EQ(answer.status, one.status) << one.path;
    EXPECT_EQ(answer.body.find("today"), std::string::npos);
    EXPECT_TRUE(answer.has("content-type: text/plain; charset=utf-8")) << answer.head;
    untilLogHas(str("\"error\":\"", one.error, '"'));
  }
  EXPECT_NE(logText().find("not today"), std::string::npos);
}

TEST_F(Serving, EndsWhatHasNoFuel) {
  serve({.fuelMax = 100'000});
  EXPECT_EQ(ask("/loop").status, 504);
  untilMetric("schemascript_guests_stopped_total{limit=\"fuel\"}", 1);
}

TEST_F(Serving, HasNoAnswerWithoutAnApp) {
  serve(options(), {});
  const Answer answer = ask("/");
  EXPECT_EQ(answer.status, 503);
  EXPECT_TRUE(answer.has("retry-after: 1"));
}

TEST_F(Serving, AnswersFailuresAsItsAppIsToldTo) {
  ServedApp app = load();
  app.failurePage = [](const HttpRequest& request, int status, const JobReport* report) {
    return HostAnswer{.status = status + 1,
                      .contentType = "text/x",
                      .body = str(request.path, ' ', report->call.error.name),
                      .headers = {{"x-page", "yes"}}};
  };
  serve(options(), std::move(app));
  const Answer failed = ask("/throw?a");
  EXPECT_EQ(failed.status, 501);
  EXPECT_EQ(failed.body, "/throw?a TypeError");
  EXPECT_TRUE(failed.has("content-type: text/x"));
  EXPECT_TRUE(failed.has("x-page: yes"));
  untilLogHas("\"status\":501");
  EXPECT_EQ(ask("/").status, 200);

  ServedApp none;
  none.failurePage = [](const HttpRequest&, int, const JobReport* report) {
    return HostAnswer{.status = 500, .body = report == nullptr ? "no app" : "?"};
  };
  service_->replace(std::move(none));
  const Answer refused = ask("/");
  EXPECT_EQ(refused.status, 500);
  EXPECT_EQ(refused.body, "no app");
  EXPECT_EQ(refused.head.find("retry-after"), std::string::npos);
  untilLogHas("\"status\":500");
}

TEST_F(Serving, LeavesRequestsToWhoIntercepts) {
  ServiceOptions some = options();
  some.intercept = [](const std::shared_ptr<HttpExchange>& exchange) {
    if (exchange->request().path != "/taken") return false;
    exchange->respond({202, {}}, "taken");
    return true;
  };
  serve(std::move(some), load());
  EXPECT_EQ(ask("/taken").status, 202);
  EXPECT_EQ(ask("/").status, 200);
}

TEST_F(Serving, RefusesWhatDoesNotFitIntoTheQueue) {
  ServiceOptions few = options();
  few.workers.threads = 1;
  few.workers.queueMax = 1;
  serve(std::move(few), load());
  Client runs(service_->port()), waits(service_->port());
  runs.send(requestOf("/loop"));
  untilMetric("schemascript_requests_running", 1);
  waits.send(requestOf("/"));
  untilMetric("schemascript_requests_queued", 1);
  const Answer refused = ask("/");
  EXPECT_EQ(refused.status, 503);
  EXPECT_TRUE(refused.has("retry-after: 1"));
  runs.abandon();
  EXPECT_EQ(Answer(waits.receive()).status, 200);
}

TEST_F(Serving, RefusesWhatWaitedTooLong) {
  ServiceOptions one = options();
  one.workers.threads = 1;
  one.queueTimeMax = 500ms;  // Less than the loop takes, and more than a thread to come.
  serve(std::move(one), load({.runTimeMax = 2s}));
  Client runs(service_->port());
  runs.send(requestOf("/loop"));
  untilMetric("schemascript_requests_running", 1);
  EXPECT_EQ(ask("/").status, 503);
  untilLogHas("\"error\":\"TooLate\"");
}

TEST_F(Serving, KeepsTheIdsOfRequests) {
  serve();
  const Answer kept = ask("/id", "X-Request-Id: abc-1\r\n");
  EXPECT_EQ(kept.body, "abc-1");
  EXPECT_TRUE(kept.has("x-request-id: abc-1"));
  for (const std::string& bad : {std::string("a b"), std::string(65, 'x'), std::string("\xe9")}) {
    const Answer own = ask("/id", str("X-Request-Id: ", bad, "\r\n"));
    EXPECT_EQ(own.body.size(), 16u) << own.body;
    EXPECT_TRUE(own.has(str("x-request-id: ", own.body)));
  }
  EXPECT_EQ(ask("/id", str("x-request-id: ", std::string(64, 'x'), "\r\n")).body,
            std::string(64, 'x'));
  const Answer ofApp = ask("/own-id", "x-request-id: theirs\r\n");
  EXPECT_TRUE(ofApp.has("x-request-id: mine"));
  EXPECT_FALSE(ofApp.has("x-request-id: theirs"));
}

TEST_F(Serving, SendsHeadsAsTheyAre) {
  serve();
  const Answer head = ask("/large", "", "HEAD");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
  const Answer cookies = ask("/cookies");
  EXPECT_TRUE(cookies.has("set-cookie: a=1"));
  EXPECT_TRUE(cookies.has("set-cookie: b=2"));
}

TEST_F(Serving, FailsForALengthThatDoesNotFit) {
  serve();
  EXPECT_EQ(ask("/length").status, 500);
  untilLogHas("the Content-Length says 5, but the body has 4 bytes");
}

TEST_F(Serving, SaysWhichHeaderCannotBeSent) {
  serve();
  EXPECT_EQ(ask("/control").status, 500);
  untilLogHas("the header x-bell of the answer has a control character");
  EXPECT_EQ(ask("/").status, 200);
}

TEST_F(Serving, CountsConnectionsAndWhatTheyAreRefused) {
  serve();
  Client open(service_->port());
  open.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  Client malformed(service_->port());
  malformed.send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(Answer(malformed.receive()).status, 400);
  EXPECT_EQ(metric("schemascript_http_requests_malformed_total"), 1u);
  EXPECT_EQ(metric("schemascript_http_accept_failures_total"), 0u);
  untilMetric("schemascript_http_connections_total", 2);
  open.abandon();
  malformed.abandon();
  untilMetric("schemascript_http_connections_open", 0);
}

TEST_F(Serving, StreamsMoreThanItHolds) {
  serve();
  const Answer large = ask("/large");
  EXPECT_GE(large.body.size(), 64u * 65'536);
  const std::string body(3'000'000, 'z');
  Client client(service_->port());
  std::thread writes([&] {
    client.send(requestOf("/echo", str("Content-Length: ", body.size(), "\r\n"), "POST"));
    client.send(body);
  });
  const Answer echo(client.receive());
  writes.join();
  EXPECT_EQ(echo.status, 200);
  // No digit of a chunk's size is a z.
  EXPECT_EQ(std::ranges::count(echo.body, 'z'), static_cast<std::ptrdiff_t>(body.size()));
  // In one piece and in many, the log has the same count.
  untilLogHas("\"bytesIn\":3000000");
}

TEST_F(Serving, RollsBackForAClientThatHasGone) {
  serve();
  Client client(service_->port());
  client.send(requestOf("/hold"));
  untilLogHas("holding");
  client.abandon();
  untilLogHas("\"error\":\"Cancelled\"");
  EXPECT_EQ(ask("/add").body, "1");
  EXPECT_NE(logText().find("\"status\":499"), std::string::npos);
}

TEST_F(Serving, WorksOnAfterItsAnswer) {
  serve();
  EXPECT_EQ(ask("/later").body, "now");
  untilLogHas("done later");
}

TEST_F(Serving, KeepsTenantsApart) {
  ServiceOptions all = tenantOptions({TenantSource::Kind::Header, "x-tenant"});
  makeTenant("acme");
  makeTenant("other");
  std::ofstream(folder_ / "tenants" / "broken.db") << std::string(4'096, 'x');
  serve(std::move(all), load());
  EXPECT_EQ(ask("/add", "X-Tenant: acme\r\n").body, "1");
  EXPECT_EQ(ask("/add", "X-Tenant: acme\r\n").body, "2");
  EXPECT_EQ(ask("/add", "X-Tenant: other\r\n").body, "1");
  EXPECT_EQ(ask("/add", "X-Tenant: nobody\r\n").status, 404);
  EXPECT_EQ(ask("/add", "X-Tenant: broken\r\n").status, 503);
  for (const char* const bad :
       {"", "X-Tenant: ../acme\r\n", "X-Tenant: ACME\r\n", "X-Tenant:\r\n"}) {
    EXPECT_EQ(ask("/add", bad).status, 400) << bad;
  }
  untilLogHas("\"tenant\":\"other\"");
}

TEST_F(Serving, FindsTenantsInTheHost) {
  ServiceOptions all = tenantOptions({TenantSource::Kind::Host, {}});
  makeTenant("acme");
  serve(std::move(all), load());
  EXPECT_EQ(ask("/", "", "GET", "ACME.example.com:80").status, 200);
  EXPECT_EQ(ask("/", "", "GET", "other.example.com").status, 404);
  EXPECT_EQ(ask("/", "", "GET", "_a.example.com").status, 400);
}

TEST_F(Serving, TakesTheTenantOffThePath) {
  ServiceOptions all = tenantOptions({TenantSource::Kind::Path, {}});
  makeTenant("acme");
  serve(std::move(all), load());
  for (const auto& [path, url] :
       {std::pair("/acme", "http://a.test/"), std::pair("/acme/", "http://a.test/"),
        std::pair("/acme?b", "http://a.test/?b"),
        std::pair("/acme/?b=/c", "http://a.test/?b=/c")}) {
    EXPECT_EQ(ask(path).body, url);
  }
  EXPECT_EQ(ask("/other/").status, 404);
  EXPECT_EQ(ask("/%61cme/").status, 400);
  EXPECT_EQ(ask("/").status, 400);
}

TEST_F(Serving, KeepsNothingOrAllInMemory) {
  serve();
  EXPECT_EQ(ask("/count").body, "1");
  EXPECT_EQ(ask("/count").body, "1");
}

TEST_F(Serving, KeepsWhatAWorkerHolds) {
  ServiceOptions kept = options();
  kept.workers.threads = 1;
  kept.isolation = Isolation::Worker;
  serve(std::move(kept), load());
  EXPECT_EQ(ask("/count").body, "1");
  EXPECT_EQ(ask("/count").body, "2");
}

TEST_F(Serving, GivesNothingOfTheHostAsEnvironment) {
  serve(options(), load({}, kApp, R"({"KEY":"value"})"));
  EXPECT_EQ(ask("/env").body, R"({"KEY":"value"})");
}

TEST_F(Serving, LetsRequestsFinishWithinTheGrace) {
  serve();
  Client client(service_->port());
  client.send(requestOf("/large"));
  untilMetric("schemascript_requests_running", 1);
  service_->stop(kPatience);
  EXPECT_EQ(service_->health(), Health::Draining);
  EXPECT_GE(Answer(client.receive()).body.size(), 64u * 65'536);
  EXPECT_TRUE(service_->wait());
}

TEST_F(Serving, CutsOffWhatLoopsWithoutGrace) {
  serve({.runTimeMax = 1h});
  Client client(service_->port());
  client.send(requestOf("/loop"));
  untilMetric("schemascript_requests_running", 1);
  service_->stop(0ms);
  service_->wait();
  service_.reset();
  EXPECT_EQ(client.receive(), "");
}

// Their clients have their answers, or there are none: nothing else tells them that it is over.
TEST_F(Serving, CutsOffWhatLoopsAfterItsAnswer) {
  serve({.runTimeMax = 1h});
  EXPECT_EQ(ask("/loop-later").body, "now");
  std::atomic<int> cutOff = 0;
  ASSERT_TRUE(service_->tryRunScheduled(
      "", R"({"cron":"loop","scheduledTime":0})",
      [&](const ScheduledEnd& end) { cutOff += end.kind == ScheduledEnd::Kind::NotRun ? 1 : 0; }));
  untilMetric("schemascript_requests_running", 2);
  service_->stop(1h);
  std::thread shortens([&] {
    std::this_thread::sleep_for(20ms);
    service_->stop(0ms);
  });
  EXPECT_FALSE(service_->wait());
  shortens.join();
  service_.reset();
  EXPECT_EQ(cutOff, 1);
}

TEST_F(Serving, CountsWhatItLogs) {
  ServiceOptions one = options();
  one.workers.threads = 1;  // So that the last line is the last.
  serve(std::move(one), load());
  for (int i = 0; i < 3; ++i) ask("/add");
  ask("/throw");
  ask("/nothing");
  untilLogHas("\"status\":418");
  EXPECT_EQ(metric("schemascript_requests_total{status=\"2xx\"}"), 3u);
  EXPECT_EQ(metric("schemascript_requests_total{status=\"4xx\"}"), 1u);
  EXPECT_EQ(metric("schemascript_requests_total{status=\"5xx\"}"), 1u);
  EXPECT_EQ(metric("schemascript_request_duration_seconds_count"), 5u);
  EXPECT_EQ(metric("schemascript_sqlite_statements_total"), 6u);
  const std::string log = logText();
  std::size_t lines = 0;
  for (auto at = log.find("\"status\":"); at != log.npos; at = log.find("\"status\":", at + 1))
    ++lines;
  EXPECT_EQ(lines, 5u);
}

TEST_F(Serving, TellsOperatorsHowItIs) {
  serve();
  AdminServer admin(*service_, {});
  const auto get = [&admin](std::string_view path, std::string_view method = "GET") {
    Client client(admin.port());
    client.send(requestOf(path, "", method));
    return Answer(client.receive());
  };
  EXPECT_EQ(get("/health").status, 200);
  EXPECT_EQ(get("/live").status, 200);
  EXPECT_NE(get("/metrics").body.find("schemascript_requests_total"), std::string::npos);
  EXPECT_EQ(get("/else").status, 404);
  EXPECT_EQ(get("/metrics", "POST").status, 405);
  service_->stop(0ms);
  EXPECT_EQ(get("/health").status, 503);
  EXPECT_EQ(get("/live").status, 200);
}

TEST_F(Serving, WaitsForSlowReaders) {
  ServiceOptions one = options();
  one.workers.threads = 1;
  serve(std::move(one), load());
  Client slow(service_->port());
  slow.send(requestOf("/large"));
  // Its thread serves others meanwhile.
  for (int i = 0; i < 10; ++i) EXPECT_EQ(ask("/").status, 200);
  EXPECT_GE(Answer(slow.receive()).body.size(), 64u * 65'536);
}

TEST_F(Serving, HidesATenantThatLoopsFromTheOthers) {
  ServiceOptions all = tenantOptions({TenantSource::Kind::Header, "x-tenant"});
  all.workers.runningPerKeyMax = 1;
  all.workers.waitingPerKeyMax = 2;
  makeTenant("loops");
  for (int i = 0; i < 99; ++i) makeTenant(str("t", i));
  serve(std::move(all), load({.runTimeMax = 1h}));
  std::vector<std::unique_ptr<Client>> loops;
  for (int i = 0; i < 3; ++i) {
    loops.push_back(std::make_unique<Client>(service_->port()));
    loops.back()->send(requestOf("/loop", "x-tenant: loops\r\n"));
    if (i == 0) untilMetric("schemascript_requests_running", 1);
  }
  untilMetric("schemascript_requests_queued", 2);
  EXPECT_EQ(ask("/loop", "x-tenant: loops\r\n").status, 503);  // It has had its part.
  for (int i = 0; i < 99; ++i) EXPECT_EQ(ask("/add", str("x-tenant: t", i, "\r\n")).body, "1");
  untilMetric("schemascript_requests_running", 1);
  for (const auto& loop : loops) loop->abandon();
}

TEST_F(Serving, ReplacesTheAppWhileRequestsRun) {
  serve();
  Client old(service_->port());
  old.send(requestOf("/later"));
  const Answer before(old.receive());
  Client large(service_->port());
  large.send(requestOf("/large"));
  untilMetric("schemascript_requests_running", 1);
  service_->replace(load({}, "export default { fetch: () => new Response('new') }"));
  EXPECT_EQ(ask("/").body, "new");
  EXPECT_EQ(before.body, "now");
  EXPECT_GE(Answer(large.receive()).body.size(), 64u * 65'536);
}

// Handlers that answer what is no answer, or go wrong behind it.
constexpr std::string_view kOdd = R"js(
  const sql = (text) => __host_sqlite.all(__host_sqlite.statement(text), [], 0);
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const handlers = {
    "/low": () => new Response("", { status: 99 }),
    "/high": () => new Response("", { status: 600 }),
    "/switch": () => new Response("", { status: 101 }),
    "/body-of-204": () => new Response("four", { status: 204 }),
    "/error": () => Response.error(),
    "/text": () => "text",
    "/null": () => null,
    "/object": () => ({ status: 200, body: "mine" }),
    "/locked": () => {
      const response = new Response("locked");
      response.body.getReader();
      return response;
    },
    "/used": async () => {
      const response = new Response("once");
      await response.text();
      return response;
    },
    "/304": () => new Response(null, { status: 304, headers: { etag: '"1"' } }),
    "/304-body": () => new Response("four", { status: 304 }),
    "/four": () => new Response("four", { headers: { "x-own": "yes" } }),
    "/late-failure": (request, env, context) => {
      context.waitUntil(pause(5).then(() => { throw new RangeError("behind it"); }));
      sql("INSERT INTO notes VALUES (1)");
      return new Response("now");
    },
    "/midway": () => {
      let left = 3;
      return new Response(new ReadableStream({
        async pull(controller) {
          await pause(2);
          if (left-- === 0) throw new RangeError("no more of it");
          controller.enqueue(new TextEncoder().encode("part;"));
        },
      }));
    },
    "/at-once": () => new Response(new ReadableStream({
      start(controller) { controller.error(new RangeError("none of it")); },
    })),
    "/names": () => Response.json([typeof process, typeof Deno, typeof require,
      Object.keys(globalThis).filter((name) => /env/i.test(name))]),
    "/count": () => new Response(String(sql("SELECT count(*) FROM notes")[0][0])),
  };
  export default {
    fetch: (request, env, context) => handlers[new URL(request.url).pathname](request, env, context),
    async scheduled(event, env, context) {
      if (event.cron === "fails") throw new RangeError("not today");
      if (event.cron === "loops") for (;;);
      if (event.cron === "fails later") {
        context.waitUntil(pause(5).then(() => { throw new RangeError("behind it"); }));
      }
      if (event.cron === "is undone") {
        const transaction = __host_sqlite.begin("immediate", 0);
        __host_sqlite.run(__host_sqlite.statement("INSERT INTO notes VALUES (1)"), [], transaction);
        throw new RangeError("half done");
      }
      sql("INSERT INTO notes VALUES (1)");
    },
  };
)js";

class ServingOdd : public Serving {
 protected:
  void serveOdd(Limits limits = {}, std::string environment = {}) {
    serve(options(), load(limits, kOdd, std::move(environment)));
  }

  // How an event ended; null when it could not be taken.
  std::optional<ScheduledEnd> runScheduled(std::string_view cron, const std::string& tenant = "") {
    std::promise<ScheduledEnd> ended;
    const bool isTaken =
        service_->tryRunScheduled(tenant, str(R"({"cron":")", cron, R"(","scheduledTime":0})"),
                                  [&ended](ScheduledEnd end) { ended.set_value(std::move(end)); });
    if (!isTaken) return std::nullopt;
    return ended.get_future().get();
  }
};

TEST_F(ServingOdd, SaysHowAnEventEnded) {
  using Kind = ScheduledEnd::Kind;
  serveOdd({.runTimeMax = 1s});
  struct Case {
    const char* cron;
    Kind kind;
    const char* error;
    const char* notes;  // That there are afterwards.
  };
  for (const Case& one : {Case{"works", Kind::Succeeded, "", "1"},
                          Case{"fails", Kind::Failed, "RangeError: not today", "1"},
                          Case{"loops", Kind::Failed, "TimeExceeded", "1"},
                          Case{"fails later", Kind::Failed, "RangeError: behind it", "2"},
                          Case{"is undone", Kind::Failed, "RangeError: half done", "2"}}) {
    const auto end = runScheduled(one.cron);
    ASSERT_TRUE(end) << one.cron;
    EXPECT_EQ(end->kind, one.kind) << one.cron << ' ' << end->error;
    EXPECT_TRUE(end->error.starts_with(one.error)) << end->error;
    EXPECT_EQ(ask("/count").body, one.notes) << one.cron;
  }
  EXPECT_EQ(metric("schemascript_guests_stopped_total{limit=\"time\"}"), 1u);
}

TEST_F(ServingOdd, RunsNoEventWithoutAnAppOrADatabase) {
  using Kind = ScheduledEnd::Kind;
  serve(tenantOptions({TenantSource::Kind::Header, "x-tenant"}), load({}, kOdd));
  const auto gone = runScheduled("works", "gone");
  ASSERT_TRUE(gone);
  EXPECT_EQ(gone->kind, Kind::NotRun);
  EXPECT_EQ(gone->error, "NoDatabase");
  service_->replace({});
  EXPECT_FALSE(runScheduled("works", "gone"));
}

TEST_F(ServingOdd, FailsForWhatIsNoAnswer) {
  serveOdd();
  for (const char* const path : {"/low", "/high", "/switch", "/body-of-204", "/error", "/text",
                                 "/null", "/object", "/locked", "/used", "/304-body"}) {
    const Answer answer = ask(path);
    EXPECT_EQ(answer.status, 500) << path;
    EXPECT_EQ(answer.body, "The request failed.\n") << path;
    EXPECT_TRUE(answer.has("content-type: text/plain; charset=utf-8")) << answer.head;
  }
  // The next is as good as ever.
  EXPECT_EQ(ask("/four").body, "four");
}

TEST_F(ServingOdd, AnswersNotModifiedWithoutABody) {
  serveOdd();
  const Answer answer = ask("/304");
  EXPECT_EQ(answer.status, 304);
  EXPECT_TRUE(answer.has("etag: \"1\""));
  EXPECT_EQ(answer.body, "");
}

TEST_F(ServingOdd, AnswersHeadAsGetWithoutTheBody) {
  serveOdd();
  const Answer get = ask("/four");
  const Answer head = ask("/four", "", "HEAD");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
  for (const char* const field : {"content-length: 4", "x-own: yes"}) {
    EXPECT_TRUE(get.has(field)) << get.head;
    EXPECT_TRUE(head.has(field)) << head.head;
  }
  EXPECT_EQ(ask("/used", "", "HEAD").status, 500);
}

TEST_F(ServingOdd, KeepsAnAnswerWhoseWorkBehindItFails) {
  serveOdd();
  const Answer answer = ask("/late-failure");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "now");
  untilLogHas("behind it");
  EXPECT_EQ(ask("/count").body, "1");
  EXPECT_EQ(metric("schemascript_requests_total{status=\"5xx\"}"), 0u);
}

// Its end is no end: without it, the client knows that something is missing.
TEST_F(ServingOdd, CutsOffABodyThatFailsMidway) {
  serveOdd();
  const Answer answer = ask("/midway");
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.has("transfer-encoding: chunked"));
  EXPECT_NE(answer.body.find("part;"), std::string::npos);
  EXPECT_EQ(answer.body.find("\r\n0\r\n"), std::string::npos) << answer.body;
  untilLogHas("no more of it");
  EXPECT_EQ(ask("/four").body, "four");
}

TEST_F(ServingOdd, SendsNoEndOfABodyThatFailsAtOnce) {
  serveOdd();
  const Answer answer = ask("/at-once");
  EXPECT_EQ(answer.body, "") << answer.head;
  untilLogHas("none of it");
}

TEST_F(ServingOdd, ShowsTheEnvironmentToHandlersAlone) {
  ::setenv("SCHEMASCRIPT_SECRET_OF_THE_HOST", "x", 1);
  serveOdd({}, R"({"KEY":"value-of-key"})");
  EXPECT_EQ(ask("/names").body, R"(["undefined","undefined","undefined",[]])");
  EXPECT_EQ(ask("/low", "x-key: KEY\r\n").body.find("value-of-key"), std::string::npos);
  untilLogHas("\"status\":500");
  EXPECT_EQ(logText().find("value-of-key"), std::string::npos);
}

TEST_F(ServingOdd, KnowsNoTenantWhoseFileIsGone) {
  ServiceOptions all = tenantOptions({TenantSource::Kind::Header, "x-tenant"});
  all.tenants->openMax = 1;
  makeTenant("goes");
  makeTenant("stays");
  serve(std::move(all), load({}, kOdd));
  const auto statusOf = [this](std::string_view name) {
    return ask("/count", str("x-tenant: ", name, "\r\n")).status;
  };
  EXPECT_EQ(statusOf("goes"), 200);
  untilMetric("schemascript_requests_running", 0);  // The answer comes before the call's end.
  EXPECT_EQ(statusOf("stays"), 200);                // The one before is closed.
  std::filesystem::remove(folder_ / "tenants" / "goes.db");
  EXPECT_EQ(statusOf("goes"), 404);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "tenants" / "goes.db"));
  EXPECT_EQ(statusOf("stays"), 200);
  makeTenant("goes");
  EXPECT_EQ(statusOf("goes"), 200);
}

TEST_F(ServingOdd, TellsOperatorsThatItDrains) {
  serve({.runTimeMax = 1h});
  AdminServer admin(*service_, {});
  const auto get = [&admin](std::string_view path) {
    Client client(admin.port());
    client.send(requestOf(path));
    return Answer(client.receive());
  };
  Client runs(service_->port());
  runs.send(requestOf("/loop"));
  untilMetric("schemascript_requests_running", 1);
  service_->stop(1h);
  const Answer health = get("/health");
  EXPECT_EQ(health.status, 503);
  EXPECT_NE(health.body.find("draining"), std::string::npos) << health.body;
  EXPECT_EQ(get("/live").status, 200);
  EXPECT_NE(get("/metrics").body.find("\nschemascript_requests_running 1\n"), std::string::npos);
  service_->stop(0ms);
  service_->wait();
}

}  // namespace
}  // namespace schemascript
