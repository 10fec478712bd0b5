// An app behind HTTP: requests become calls of its fetch(), and what that answers becomes answers.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/server.h"
#include "runtime/workers.h"
#include "serve/configuration.h"
#include "serve/metrics.h"
#include "serve/request-log.h"
#include "serve/schedules.h"
#include "serve/tenants.h"

namespace schemascript {

// An answer that the host gives itself.
struct HostAnswer {
  int status = 500;
  std::string contentType = "text/plain; charset=utf-8";
  std::string body{};
  HeaderFields headers{};  // Beside the type.
};

// What is served until it is replaced. Immutable, used by many threads.
struct ServedApp {
  // Null: it could not be built; requests are answered with 503, unless failurePage says more.
  std::shared_ptr<const App> app{};
  // What a text of the app's says about its bundle, in positions of its sources. Empty: unchanged.
  std::function<std::string(std::string_view text)> readable{};
  // Why a call ended that did not answer, for the log. Without a newline at the end.
  std::function<std::string(const CallReport& report)> describe{};
  // For development: the answer to a request that failed, instead of one that says nothing. Called
  // on any thread; `report` is null when there is no app.
  std::function<HostAnswer(const HttpRequest& request, int status, const JobReport* report)>
      failurePage{};
};

struct ServiceOptions {
  HttpServerOptions http{};
  WorkersOptions workers{};
  Isolation isolation = Isolation::Request;
  bool readOnly = false;
  BoundValueDisplay boundValues = BoundValueDisplay::Hidden;
  bool traceSql = false;  // Each statement is logged.
  // One of the two: the database of all requests, or that of each tenant.
  std::shared_ptr<ConnectionPool> database{};
  std::optional<TenantsOptions> tenants{};
  TenantSource tenantFrom{};
  // A request whose turn comes later is answered with 503.
  std::chrono::milliseconds queueTimeMax{10'000};
  // Null: nothing is logged. Must outlive the service.
  RequestLog* log = nullptr;
  // For development: requests that are not the app's. True when it has answered, or will.
  std::function<bool(const std::shared_ptr<HttpExchange>& exchange)> intercept{};
};

// The status of a request whose call ended so without an answer.
int statusOf(const JobReport& report) noexcept;

// Whose a request is. Without a name: it says none, or one that is none.
struct RequestTenant {
  std::optional<std::string> name{};
  std::string_view path{};  // What is left of it: `/notes?page=2`.
};
RequestTenant tenantOf(const HttpRequest& request, const TenantSource& source);

// All functions may be called from any thread, unless they say otherwise.
class Service {
 public:
  // Binds and listens, serves nothing before start(). Keeps a reference to `watchdog`, which must
  // outlive it, as must the engines of apps. Throws as HttpServer, Workers and Tenants do.
  Service(Watchdog& watchdog, ServedApp app, ServiceOptions options);
  // Without grace, and waits.
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  std::uint16_t port() const noexcept { return http_->port(); }
  void start();

  // For the requests that come from now on; those that were begun end with the app they have.
  void replace(ServedApp app);

  // Takes no more requests, and lets those that there are finish for `grace`; a second call can
  // only shorten it. Returns at once.
  void stop(std::chrono::milliseconds grace);
  // Waits until that has been done. True when everything could finish.
  bool wait();

  // Calls the app's scheduled() for the database of `tenant`, which the worker opens; without
  // tenants it is empty. False, and `done` is not kept, when nothing can be taken just now. `done`
  // is called once, on any thread.
  [[nodiscard]] bool tryRunScheduled(const std::string& tenant, std::string event,
                                     std::function<void(ScheduledEnd end)> done);
  // For the databases of this service, which must outlive the Schedules; without the schedules
  // themselves.
  SchedulesOptions schedulesOptions();
  // For the metrics. Before start(); asked on any thread.
  void showSchedules(std::function<SchedulesStatus()> status) {
    schedulesStatus_ = std::move(status);
  }

  // Null without tenants.
  Tenants* tenants() noexcept { return tenants_.get(); }

  Health health() const noexcept { return health_; }
  // What Prometheus reads.
  std::string renderMetrics() const;
  // Of healthDocument().
  std::string renderHealth() const;

 private:
  class Call;

  void handle(std::shared_ptr<HttpExchange> exchange);
  Job jobOf(const std::shared_ptr<Call>& call, CallKind kind) const;
  std::shared_ptr<ConnectionPool> openTenant(std::string_view name);
  void refuse(HttpExchange& exchange, std::string_view id, HostAnswer answer);
  static void answer(HttpExchange& exchange, std::string_view id, HostAnswer answer);
  std::string newId() noexcept;

  const ServiceOptions options_;
  std::unique_ptr<Tenants> tenants_;
  std::function<SchedulesStatus()> schedulesStatus_;
  Metrics metrics_;
  std::atomic<Health> health_{Health::Starting};
  std::atomic<std::shared_ptr<const ServedApp>> served_;
  std::atomic<std::uint64_t> nextId_;
  std::stop_source stopAll_;  // Every call, when the grace is over.
  std::mutex mutex_;          // Guards what follows.
  std::chrono::steady_clock::time_point stopBy_ = std::chrono::steady_clock::time_point::max();
  // The last members, and in this order: they use all of the above from several threads.
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<JobSource> source_;
  std::unique_ptr<Workers> workers_;
};

// /metrics, /health and /live of a service, on a port of their own, which is not for everybody.
class AdminServer {
 public:
  // Binds, listens and serves. Keeps a reference to `service`, which must outlive it. Throws as
  // HttpServer does.
  AdminServer(Service& service, HttpServerOptions options);

  std::uint16_t port() const noexcept { return http_.port(); }

 private:
  HttpServer http_;
};

}  // namespace schemascript
