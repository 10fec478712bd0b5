#include "serve/service.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <random>
#include <stop_token>
#include <utility>

#include "base/error.h"
#include "database/database.h"
#include "runtime/http-message.h"

namespace schemascript {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kRequestId = "x-request-id";
constexpr std::size_t kRequestIdBytesMax = 64;
// As nginx has it: the client has gone. Nobody reads it but the log.
constexpr int kClientGone = 499;

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string lowerCase(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), lower);
  return result;
}

bool isSameName(std::string_view one, std::string_view other) noexcept {
  return std::ranges::equal(one, other, {}, lower, lower);
}

bool isRequestId(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kRequestIdBytesMax &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

std::string_view withoutQuery(std::string_view path) noexcept {
  return path.substr(0, path.find('?'));
}

// What some frameworks set beside a stream. How a body is framed is up to the server.
void dropFraming(HeaderFields& headers) {
  std::erase_if(headers, [](const auto& field) {
    return isSameName(field.first, "transfer-encoding") && isSameName(field.second, "chunked");
  });
}

// `http://host/path?query`, which an app gets whatever a proxy in front of it speaks.
std::string urlOf(const HttpRequest& request, std::string_view path) {
  const std::string_view host = request.host.empty() ? "localhost" : request.host;
  return str("http://", host, path == "*" ? "/" : path);
}

HeaderFields fieldsOf(const HttpRequest& request, std::string_view id) {
  HeaderFields fields;
  fields.reserve(request.headers.size() + 1);
  for (const HttpField& field : request.headers) {
    if (!isSameName(field.name, kRequestId)) {
      fields.emplace_back(lowerCase(field.name), field.value);
    }
  }
  fields.emplace_back(kRequestId, id);
  return fields;
}

std::string_view messageOf(int status) noexcept {
  switch (status) {
    case 400:
      return "The request does not say whose it is.";
    case 404:
      return "There is nothing here.";
    case 503:
      return "The service cannot take the request now.";
    case 504:
      return "The request took too long.";
    default:
      return "The request failed.";
  }
}

// What a report calls its end, for whoever looks for it in a log.
std::string_view nameOf(const CallReport& report) noexcept {
  switch (report.end) {
    case CallEnd::Answered:
      return {};
    case CallEnd::Threw:
      return report.error.name.empty() ? "Error" : std::string_view(report.error.name);
    case CallEnd::TimeExceeded:
      return "TimeExceeded";
    case CallEnd::FuelExceeded:
      return "FuelExceeded";
    case CallEnd::MemoryExceeded:
      return "MemoryExceeded";
    case CallEnd::NeverSettles:
      return "NeverSettles";
    case CallEnd::Trapped:
      return "Trapped";
    case CallEnd::NoSuchExport:
      return "NoSuchExport";
    case CallEnd::BadArgument:
      return "BadArgument";
    case CallEnd::Cancelled:
      return "Cancelled";
  }
  return "Error";
}

std::string_view nameOf(const JobReport& report) noexcept {
  switch (report.end) {
    case JobEnd::Called:
      return nameOf(report.call);
    case JobEnd::Failed:
      return nameOf(report.failure->code());
    case JobEnd::TooLate:
      return "TooLate";
    case JobEnd::Cancelled:
      return "Cancelled";
    case JobEnd::NoDatabase:
      return "NoDatabase";
  }
  return "Error";
}

std::optional<StoppedBy> stoppedBy(const CallReport& report) noexcept {
  switch (report.end) {
    case CallEnd::TimeExceeded:
      return StoppedBy::Time;
    case CallEnd::FuelExceeded:
      return StoppedBy::Fuel;
    case CallEnd::MemoryExceeded:
      return StoppedBy::Memory;
    case CallEnd::Trapped:
      return StoppedBy::Other;
    case CallEnd::Threw:
      if (report.error.name == "LimitExceeded") return StoppedBy::Database;
      break;
    default:
      break;
  }
  return std::nullopt;
}

FetchPeer::Taken takenOf(WriteState state) noexcept {
  switch (state) {
    case WriteState::Room:
      return FetchPeer::Taken::Yes;
    case WriteState::Full:
      return FetchPeer::Taken::Full;
    case WriteState::Closed:
      break;
  }
  return FetchPeer::Taken::Gone;
}

HostAnswer plainAnswer(int status) {
  return {.status = status, .body = str(messageOf(status), '\n')};
}

HostAnswer failureAnswer(const ServedApp& served, const HttpRequest& request, int status,
                         const JobReport* report) {
  return served.failurePage ? served.failurePage(request, status, report) : plainAnswer(status);
}

Instance::BodyState bodyStateOf(BodyState state) noexcept {
  switch (state) {
    case BodyState::More:
      return Instance::BodyState::Continues;
    case BodyState::Last:
      return Instance::BodyState::Last;
    default:  // The server has answered for it, or nobody waits for an answer.
      return Instance::BodyState::ClientGone;
  }
}

// The connections of a server, for the workers that answer their requests.
class Sockets final : public JobSource {
 public:
  explicit Sockets(HttpServer& server) : server_(server) {}

  bool tryTakeWatch() noexcept override { return server_.tryTakeWatch(); }
  void watch(Clock::time_point until) noexcept override { server_.watch(until); }
  void interrupt() noexcept override { server_.interruptWatch(); }

 private:
  HttpServer& server_;
};

}  // namespace

int statusOf(const JobReport& report) noexcept {
  switch (report.end) {
    case JobEnd::NoDatabase:
      return 404;
    case JobEnd::TooLate:
    case JobEnd::Cancelled:
      return 503;
    case JobEnd::Failed:
      return report.failure->code() == ErrorCode::Unavailable ? 503 : 500;
    case JobEnd::Called:
      break;
  }
  switch (report.call.end) {
    case CallEnd::TimeExceeded:
    case CallEnd::FuelExceeded:
      return 504;
    case CallEnd::Cancelled:
      return 503;
    default:
      return 500;
  }
}

RequestTenant tenantOf(const HttpRequest& request, const TenantSource& source) {
  RequestTenant tenant{.path = request.path};
  std::string name;
  switch (source.kind) {
    case TenantSource::Kind::Host:
      name = lowerCase(request.host.substr(0, request.host.find_first_of(".:")));
      break;
    case TenantSource::Kind::Header:
      name = request.tryFind(source.header).value_or("");
      break;
    case TenantSource::Kind::Path: {
      if (!request.path.starts_with('/')) return tenant;
      const std::string_view rest = request.path.substr(1);
      const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
      name = rest.substr(0, end);
      tenant.path = rest.substr(end);
      break;
    }
  }
  if (isTenantName(name)) tenant.name = std::move(name);
  return tenant;
}

// One call, from its request to its line in the log. Owned by its job.
class Service::Call final : public FetchPeer, public std::enable_shared_from_this<Call> {
 public:
  Call(Service& service, std::shared_ptr<const ServedApp> served)
      : service_(service),
        served_(std::move(served)),
        onStopAll_(service.stopAll_.get_token(), RequestStop{stop_}) {}

  void setRequest(std::shared_ptr<HttpExchange> exchange, std::string id, std::string tenant) {
    exchange_ = std::move(exchange);
    id_ = std::move(id);
    tenant_ = std::move(tenant);
  }
  void setEvent(std::string id, std::string tenant, std::function<void(ScheduledEnd)> done) {
    id_ = std::move(id);
    tenant_ = std::move(tenant);
    done_ = std::move(done);
  }

  const std::string& id() const noexcept { return id_; }
  const ServedApp& served() const noexcept { return *served_; }
  std::stop_source& stop() noexcept { return stop_; }

  Taken respond(FetchResponse response) override {
    status_ = response.status;
    bytesOut_ = response.body.size();
    dropFraming(response.headers);
    HttpAnswerHead head{response.status, std::move(response.headers)};
    addId(head);
    if (!response.following.body) {
      exchange_->respond(std::move(head), std::move(response.body));
      complete();
      return Taken::Yes;
    }
    exchange_->begin(std::move(head));
    isBegun_ = true;
    return response.body.empty() ? Taken::Yes : takenOf(exchange_->write(response.body));
  }

  Taken write(BodyPiece piece) override {
    if (isComplete_) return Taken::Yes;
    bytesOut_ += piece.bytes.size();
    const Taken taken = piece.bytes.empty() ? Taken::Yes : takenOf(exchange_->write(piece.bytes));
    if (taken == Taken::Gone || piece.following.body) return taken;
    exchange_->end();
    complete();
    return Taken::Yes;
  }

  void whenRoom(std::function<void()> then) override { exchange_->onRoom(std::move(then)); }

  void readMore(GotBody then) override {
    exchange_->readMore([self = shared_from_this(), then = std::move(then)](std::string_view bytes,
                                                                            BodyState state) {
      self->bytesIn_ += bytes.size();
      then(bytes, bodyStateOf(state));
    });
  }

  // What the app prints.
  void print(LogStream stream, std::string_view text) const {
    const bool isMapped = served_->readable != nullptr;
    say(stream == LogStream::Error ? "error" : "log", isMapped ? served_->readable(text) : text);
  }

  void trace(const TracedStatement& statement) const {
    service_.options_.log->add(recordOf(statement, now(), id_, tenant_));
  }

  void end(const JobReport& report) noexcept {
    const bool isFetch = exchange_ != nullptr;
    const auto duration = (isComplete_ ? completedAt_ : Clock::now()) - began_;
    try {
      const std::string why = reasonOf(report);
      if (isFetch && !isComplete_) answerFailure(report);
      if (!why.empty()) say("error", why);
      count(report, duration);
      if (isFetch) log(report, duration);
    } catch (...) {
      if (exchange_) exchange_->abort();
    }
    if (done_) done_(scheduledEnd(report));
  }

 private:
  void addId(HttpAnswerHead& head) const {
    const bool hasOwn = std::ranges::any_of(
        head.headers, [](const auto& field) { return isSameName(field.first, kRequestId); });
    if (!hasOwn) head.headers.emplace_back(kRequestId, id_);
  }

  void complete() noexcept {
    isComplete_ = true;
    completedAt_ = Clock::now();
  }

  void answerFailure(const JobReport& report) {
    if (isBegun_) {
      exchange_->abort();
      return;
    }
    status_ = stop_.stop_requested() ? kClientGone : statusOf(report);
    if (status_ == kClientGone) return;
    HostAnswer answer = failureAnswer(*served_, exchange_->request(), status_, &report);
    status_ = answer.status;
    bytesOut_ = answer.body.size();
    service_.answer(*exchange_, id_, std::move(answer));
  }

  // Why it failed; empty when it did not, or for want of time or room.
  std::string reasonOf(const JobReport& report) const {
    if (report.end == JobEnd::Failed) return report.failure->message();
    const bool isOwn = report.end != JobEnd::Called || report.call.end == CallEnd::Answered ||
                       report.call.end == CallEnd::Cancelled;
    if (isOwn) return {};
    return served_->describe ? served_->describe(report.call) : report.call.error.message;
  }

  void say(std::string_view method, std::string_view text) const {
    if (service_.options_.log == nullptr) return;
    service_.options_.log->add(
        ConsoleRecord{.at = now(), .id = id_, .tenant = tenant_, .method = method, .text = text});
  }

  static LogTime now() {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }

  void count(const JobReport& report, std::chrono::nanoseconds duration) const noexcept {
    Metrics& metrics = service_.metrics_;
    if (exchange_) {
      metrics.countRequest(static_cast<std::uint16_t>(status_), duration, report.waited);
    }
    if (const auto limit = stoppedBy(report.call)) metrics.countStop(*limit);
    metrics.countDatabaseUse(report.call.cost.statements, report.call.cost.rows);
  }

  ScheduledEnd scheduledEnd(const JobReport& report) const {
    using Kind = ScheduledEnd::Kind;
    if (report.end == JobEnd::Failed) {
      const Error& failure = *report.failure;
      return {failure.code() == ErrorCode::Unavailable ? Kind::NotRun : Kind::Failed,
              failure.message()};
    }
    const std::string name(nameOf(report));
    if (report.end != JobEnd::Called || report.call.end == CallEnd::Cancelled) {
      return {Kind::NotRun, name};
    }
    if (report.call.end == CallEnd::Answered) return {Kind::Succeeded};
    const std::string& message = report.call.error.message;
    return {Kind::Failed, message.empty() ? name : str(name, ": ", message)};
  }

  void log(const JobReport& report, std::chrono::nanoseconds duration) const {
    if (service_.options_.log == nullptr) return;
    const HttpRequest& request = exchange_->request();
    const CallReport::Cost& cost = report.call.cost;
    service_.options_.log->add(RequestRecord{.at = at_,
                                             .id = id_,
                                             .tenant = tenant_,
                                             .method = request.method,
                                             .path = withoutQuery(request.path),
                                             .status = static_cast<std::uint16_t>(status_),
                                             .duration = duration,
                                             .queued = report.waited,
                                             .fuel = cost.fuel,
                                             .statements = cost.statements,
                                             .rows = cost.rows,
                                             .heapBytes = cost.heapBytes,
                                             .bytesIn = exchange_->body().size() + bytesIn_,
                                             .bytesOut = bytesOut_,
                                             .isolateReused = report.isolateReused,
                                             .error = nameOf(report)});
  }

  Service& service_;
  const std::shared_ptr<const ServedApp> served_;
  std::shared_ptr<HttpExchange> exchange_;  // Null for an event.
  std::string id_;
  std::string tenant_;
  std::function<void(ScheduledEnd)> done_;
  const LogTime at_ = now();
  const Clock::time_point began_ = Clock::now();
  std::stop_source stop_;
  struct RequestStop {
    std::stop_source stop;
    void operator()() noexcept { stop.request_stop(); }
  };
  int status_ = 0;
  std::atomic<std::uint64_t> bytesIn_ = 0;  // Of what came later.
  std::uint64_t bytesOut_ = 0;
  bool isBegun_ = false;
  bool isComplete_ = false;
  Clock::time_point completedAt_{};
  const std::stop_callback<RequestStop> onStopAll_;  // The last: it uses what is above.
};

Service::Service(Watchdog& watchdog, ServedApp app, ServiceOptions options)
    : options_(std::move(options)),
      served_(std::make_shared<const ServedApp>(std::move(app))),
      nextId_(std::random_device()()) {
  if (options_.tenants) tenants_ = std::make_unique<Tenants>(*options_.tenants);
  SS_CHECK((options_.database != nullptr) != (tenants_ != nullptr), "one database, or tenants");
  // Neither calls the other before start().
  HttpServerOptions httpOptions = options_.http;
  httpOptions.watchIsFree = [this] { workers_->offerWatch(); };
  http_ = std::make_unique<HttpServer>(
      std::move(httpOptions),
      [this](std::shared_ptr<HttpExchange> exchange) { handle(std::move(exchange)); });
  source_ = std::make_unique<Sockets>(*http_);
  WorkersOptions workersOptions = options_.workers;
  workersOptions.source = source_.get();
  workers_ = std::make_unique<Workers>(watchdog, workersOptions);
}

Service::~Service() {
  stop(std::chrono::milliseconds(0));
  wait();
}

void Service::start() {
  http_->start();
  health_ = Health::Ready;
}

void Service::replace(ServedApp app) {
  served_ = std::make_shared<const ServedApp>(std::move(app));
}

void Service::stop(std::chrono::milliseconds grace) {
  health_ = Health::Draining;
  {
    const std::lock_guard lock(mutex_);
    stopBy_ = std::min(stopBy_, Clock::now() + grace);
  }
  http_->stop(grace);
}

bool Service::wait() {
  http_->wait();
  // What was promised to waitUntil(), and events. The grace may be shortened meanwhile.
  constexpr std::chrono::milliseconds kLookEvery{50};
  for (;;) {
    std::unique_lock lock(mutex_);
    const Clock::time_point stopBy = stopBy_;
    lock.unlock();
    if (workers_->drainUntil(std::min(stopBy, Clock::now() + kLookEvery))) return true;
    if (Clock::now() < stopBy) continue;
    // Nothing else would end a loop whose request has been answered before its own deadline.
    stopAll_.request_stop();
    return false;
  }
}

// 16 hexadecimal digits that no other request of this process has.
std::string Service::newId() noexcept {
  // SplitMix64, by Sebastiano Vigna: https://prng.di.unimi.it/splitmix64.c (public domain); it maps
  // no two numbers to one.
  std::uint64_t id = nextId_.fetch_add(0x9e3779b97f4a7c15);
  id = (id ^ (id >> 30)) * 0xbf58476d1ce4e5b9;
  id = (id ^ (id >> 27)) * 0x94d049bb133111eb;
  id ^= id >> 31;
  std::string text(16, '0');
  for (char& digit : text) {
    digit = "0123456789abcdef"[id >> 60];
    id <<= 4;
  }
  return text;
}

void Service::answer(HttpExchange& exchange, std::string_view id, HostAnswer answer) {
  HttpAnswerHead head{answer.status, {{"content-type", std::move(answer.contentType)}}};
  std::ranges::move(answer.headers, std::back_inserter(head.headers));
  head.headers.emplace_back(kRequestId, id);
  if (answer.status == 503) head.headers.emplace_back("retry-after", "1");
  exchange.respond(std::move(head), std::move(answer.body));
}

// Without a call.
void Service::refuse(HttpExchange& exchange, std::string_view id, HostAnswer refusal) {
  const HttpRequest& request = exchange.request();
  const int status = refusal.status;
  answer(exchange, id, std::move(refusal));
  metrics_.countRequest(static_cast<std::uint16_t>(status), {}, {});
  if (options_.log == nullptr) return;
  options_.log->add(RequestRecord{
      .at = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()),
      .id = id,
      .method = request.method,
      .path = withoutQuery(request.path),
      .status = static_cast<std::uint16_t>(status),
      .error = "Refused"});
}

Job Service::jobOf(const std::shared_ptr<Call>& call, CallKind kind) const {
  Job job{
      .app = call->served().app, .database = options_.database, .isolation = options_.isolation};
  // The call outlives its job's request: the job owns both.
  Call* const raw = call.get();
  job.request.kind = kind;
  job.request.measuresProcessor = false;
  job.request.log = [raw](LogStream stream, std::string_view text) { raw->print(stream, text); };
  if (options_.traceSql && options_.log != nullptr) {
    job.request.trace = [raw](const TracedStatement& statement) { raw->trace(statement); };
  }
  job.request.stop = call->stop().get_token();
  job.request.readOnly = options_.readOnly;
  job.request.boundValues = options_.boundValues;
  job.notAfter = Clock::now() + options_.queueTimeMax;
  job.done = [call](JobReport report) { call->end(report); };
  return job;
}

void Service::handle(std::shared_ptr<HttpExchange> exchange) {
  if (options_.intercept && options_.intercept(exchange)) return;
  const HttpRequest& request = exchange->request();
  const auto given = request.tryFind(kRequestId);
  std::string id = given && isRequestId(*given) ? std::string(*given) : newId();
  const auto served = served_.load();
  if (!served->app) {
    return refuse(*exchange, id, failureAnswer(*served, request, 503, nullptr));
  }

  RequestTenant tenant{.path = request.path};
  if (tenants_) {
    tenant = tenantOf(request, options_.tenantFrom);
    if (!tenant.name) return refuse(*exchange, id, plainAnswer(400));
  }
  const std::string path =
      tenant.path.starts_with('/') ? std::string(tenant.path) : str('/', tenant.path);
  auto call = std::make_shared<Call>(*this, served);
  Job job = jobOf(call, CallKind::Fetch);
  job.argument = encodeFetch({.method = request.method,
                              .url = urlOf(request, path),
                              .headers = fieldsOf(request, id),
                              .body = exchange->body(),
                              .hasBody = exchange->hasMore() || !exchange->body().empty(),
                              .bodyFollows = exchange->hasMore()});
  if (tenant.name) {
    job.key = *tenant.name;
    job.open = [this, name = *tenant.name] { return openTenant(name); };
  }
  call->setRequest(exchange, id, job.key);
  job.peer = call;
  exchange->onClosed([stop = call->stop()](CloseReason reason) mutable {
    // Who has only said all still reads the answer.
    if (reason != CloseReason::HalfClosed) stop.request_stop();
  });
  if (!workers_->tryPost(std::move(job))) refuse(*exchange, id, plainAnswer(503));
}

std::shared_ptr<ConnectionPool> Service::openTenant(std::string_view name) {
  try {
    return tenants_->tryOpen(name);
  } catch (const Error& error) {
    throw unavailable(error.message());
  }
}

bool Service::tryRunScheduled(const std::string& tenant, std::string event,
                              std::function<void(ScheduledEnd)> done) {
  const auto served = served_.load();
  if (!served->app) return false;
  auto call = std::make_shared<Call>(*this, served);
  Job job = jobOf(call, CallKind::Scheduled);
  if (tenants_) job.open = [this, tenant] { return openTenant(tenant); };
  job.argument = std::move(event);
  job.key = tenant;
  call->setEvent(newId(), tenant, std::move(done));
  return workers_->tryPost(std::move(job));
}

SchedulesOptions Service::schedulesOptions() {
  SchedulesOptions options;
  options.names = [this] {
    return tenants_ ? tenants_->names() : std::vector<std::string>{std::string()};
  };
  options.database = [this](const std::string& name) -> std::optional<DatabaseOptions> {
    if (tenants_) return tenants_->tryOptionsOf(name);
    return options_.database->options();
  };
  options.run = [this](const std::string& name, std::string event,
                       std::function<void(ScheduledEnd)> done) {
    return tryRunScheduled(name, std::move(event), std::move(done));
  };
  options.report = [this](const std::string& name, std::string_view text) {
    if (options_.log == nullptr) return;
    options_.log->add(ConsoleRecord{
        .at = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()),
        .id = "schedules",
        .tenant = name,
        .method = "error",
        .text = text});
  };
  return options;
}

std::string Service::renderMetrics() const {
  const Workers::Counters counters = workers_->counters();
  const HttpCounters http = http_->counters();
  SchedulesStatus schedules = schedulesStatus_ ? schedulesStatus_() : SchedulesStatus();
  return metrics_.render({.running = counters.running + counters.parked,
                          .queued = counters.queued,
                          .refused = counters.refused,
                          .isolatesMade = counters.isolates.made,
                          .isolatesReset = counters.isolates.reset,
                          .isolatesDiscarded = counters.isolates.discarded,
                          .isolates = counters.isolates.isolates,
                          .isolateBytes = counters.isolates.bytes,
                          .droppedLogLines = options_.log ? options_.log->droppedLines() : 0,
                          .openTenants = tenants_ ? tenants_->openCount() : 0,
                          .connections = http.connections,
                          .openConnections = http.open,
                          .requestsMalformed = http.refused,
                          .acceptFailures = http.acceptFailures,
                          .schedules = std::move(schedules.schedules),
                          .failingScheduleDatabases = schedules.failingDatabases,
                          .version = SCHEMASCRIPT_VERSION,
                          .sqliteVersion = Database::version()});
}

std::string Service::renderHealth() const {
  return healthDocument(health_, metrics_.uptime(), SCHEMASCRIPT_VERSION);
}

AdminServer::AdminServer(Service& service, HttpServerOptions options)
    : http_(std::move(options), [&service](const std::shared_ptr<HttpExchange>& exchange) {
        const HttpRequest& request = exchange->request();
        const auto answer = [&exchange](int status, std::string_view type, std::string body) {
          exchange->respond({status, {{"content-type", std::string(type)}}}, std::move(body));
        };
        constexpr std::string_view kText = "text/plain; charset=utf-8";
        constexpr std::string_view kJson = "application/json";
        if (request.method != "GET" && request.method != "HEAD") {
          exchange->respond({405, {{"allow", "GET, HEAD"}}}, "");
        } else if (const std::string_view path = withoutQuery(request.path); path == "/metrics") {
          answer(200, kMetricsContentType, service.renderMetrics());
        } else if (path == "/health") {
          answer(isReady(service.health()) ? 200 : 503, kJson, service.renderHealth() + "\n");
        } else if (path == "/live") {
          answer(200, kText, "live\n");
        } else {
          answer(404, kText, "Here are /metrics, /health and /live.\n");
        }
      }) {
  http_.start();
}

}  // namespace schemascript
