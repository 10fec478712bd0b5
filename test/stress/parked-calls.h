// Calls that are parked: handlers of requests behind worker threads, whose clients send and read as
// they like, and calls in steps that pass from thread to thread.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "parts.h"
#include "runtime/http-message.h"
#include "runtime/isolate-pool.h"

namespace schemascript {

// The other ends of connections: what they do later, on a thread of their own.
class Clients {
 public:
  Clients() : thread_([this](std::stop_token stop) { run(stop); }) {}

  void later(std::chrono::milliseconds after, std::function<void()> action) {
    const std::lock_guard lock(mutex_);
    actions_.emplace(Clock::now() + after, std::move(action));
    changed_.notify_one();
  }

 private:
  void run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      const auto next = actions_.empty() ? Clock::now() + 1s : actions_.begin()->first;
      if (next > Clock::now()) {
        changed_.wait_until(lock, stop, next,
                            [&] { return !actions_.empty() && actions_.begin()->first < next; });
        continue;
      }
      const auto action = std::move(actions_.extract(actions_.begin()).mapped());
      lock.unlock();
      action();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::multimap<Clock::time_point, std::function<void()>> actions_;
  std::jthread thread_;
};

// A request, and what is right about its answer.
struct Exchange {
  std::string_view name{};
  std::string url{};
  std::string body{};
  std::string expected{};  // Empty: whatever comes.
  bool mayEnd = false;     // It answers, unless it is stopped.
  bool isPatient = true;   // It has all the time it needs, and a client that stays.

  static Exchange of(Random& random) {
    constexpr auto kNames = std::to_array<std::string_view>(
        {"echo", "echo", "echo", "count", "count", "ticks", "ticks", "wait", "sums", "later",
         "loop", "fill", "fail", "failMidway", "open", "never", "unread"});
    constexpr std::size_t kFirstThatFails = 10;
    const std::uint64_t chosen = random.upTo(kNames.size() - 1);
    Exchange exchange{.name = kNames[chosen], .isPatient = false};
    const std::uint64_t ticks = random.upTo(6);
    exchange.url = str("http://a/", exchange.name, "?ms=", random.upTo(8), "&count=", ticks);
    exchange.mayEnd = chosen < kFirstThatFails || exchange.name == "unread";
    exchange.isPatient = exchange.mayEnd && random.oneIn(2);
    const bool hasBody = chosen < 5 || exchange.name == "unread";
    if (hasBody) exchange.body = textOf(random);
    exchange.expected = expectedOf(exchange, ticks);
    return exchange;
  }

  std::string message() const {
    const HeaderFields headers;
    return encodeFetch({.method = body.empty() ? "GET" : "POST",
                        .url = url,
                        .headers = headers,
                        .body = "",
                        .hasBody = !body.empty(),
                        .bodyFollows = !body.empty()});
  }

 private:
  static std::string textOf(Random& random) {
    std::string text(1 + random.upTo(random.oneIn(4) ? 60'000 : 300), ' ');
    for (char& byte : text) byte = static_cast<char>('a' + random.upTo(25));
    return text;
  }

  static std::string expectedOf(const Exchange& exchange, std::uint64_t ticks) {
    if (exchange.name == "echo") return exchange.body;
    if (exchange.name == "count") return str("got ", exchange.body.size());
    if (exchange.name == "sums") return std::string(kSums);
    if (exchange.name != "ticks") return exchange.mayEnd ? "done" : "";
    std::string text;
    for (std::uint64_t tick = 0; tick < ticks; ++tick) text += str("tick ", tick, ';');
    return text;
  }
};

// The client of an exchange: sends its body in pieces, and reads, now, later or never. Looks
// whether it is told things in their order.
class Client : public FetchPeer, public std::enable_shared_from_this<Client> {
 public:
  Client(Clients& clients, Findings& findings, Exchange its, Random random)
      : exchange(std::move(its)), clients_(clients), findings_(findings), random_(random) {}

  Taken respond(FetchResponse response) override {
    const std::lock_guard lock(mutex_);
    check(!std::exchange(hasHead_, true), "two heads");
    follows_ = response.following.body;
    return take(response.body);
  }
  Taken write(BodyPiece piece) override {
    const std::lock_guard lock(mutex_);
    check(hasHead_, "a piece before the head");
    check(follows_ || piece.bytes.empty(), "a piece after the last");
    follows_ = piece.following.body;
    return take(piece.bytes);
  }
  void whenRoom(std::function<void()> then) override {
    if (isAway()) return;
    soon([self = shared_from_this(), then = std::move(then)] {
      {
        const std::lock_guard lock(self->mutex_);
        self->isFull_ = false;
      }
      then();
    });
  }
  void readMore(GotBody then) override {
    {
      const std::lock_guard lock(mutex_);
      check(!std::exchange(isRead_, true), "two who read at the same time");
    }
    if (isAway()) return;
    soon([self = shared_from_this(), then = std::move(then)] { self->send(then); });
  }

  // What came of it.
  void look(const CallReport& report, bool isEnding) {
    const std::lock_guard lock(mutex_);
    hasEnded_ = true;
    const bool isWhole = report.end == CallEnd::Answered && !isGone_ && !isCut_;
    const std::string& expected = exchange.expected;
    const bool isRight =
        expected.empty() || (isWhole ? text_ == expected : expected.starts_with(text_));
    if (!isRight && !exchange.mayEnd) return;
    if (!isRight) findings_.wrong(describe(exchange.name, report) + ": it answered " + text_);
    if (exchange.isPatient && report.end != CallEnd::Answered && !isEnding) {
      findings_.wrong("with a patient client " + describe(exchange.name, report));
    }
  }

  const Exchange exchange;

 private:
  // Under the mutex.
  void check(bool isRight, std::string_view what) {
    if (!isRight || hasEnded_ || isGone_) {
      findings_.wrong(str(exchange.name, ": ",
                          hasEnded_ ? "told something after its end"
                          : isGone_ ? "told something after it went"
                                    : what));
    }
  }

  Taken take(std::string_view bytes) {
    check(!isFull_, "a piece without room");
    text_ += bytes;
    if (!exchange.isPatient && random_.oneIn(8)) {
      isGone_ = true;
      return Taken::Gone;
    }
    isFull_ = random_.oneIn(3);
    return isFull_ ? Taken::Full : Taken::Yes;
  }

  void soon(std::function<void()> action) {
    std::uint64_t after = 0;
    {
      const std::lock_guard lock(mutex_);
      after = random_.upTo(6);
    }
    if (after == 0) return action();
    clients_.later(after * 1ms, std::move(action));
  }

  bool isAway() {
    const std::lock_guard lock(mutex_);
    return !exchange.isPatient && random_.oneIn(12);
  }

  void send(const GotBody& then) {
    std::string piece;
    auto state = Instance::BodyState::Continues;
    {
      const std::lock_guard lock(mutex_);
      const std::size_t left = exchange.body.size() - sent_;
      const bool isLast = random_.oneIn(4);
      piece = exchange.body.substr(sent_, isLast ? left : random_.upTo(left));
      sent_ += piece.size();
      if (isLast) state = Instance::BodyState::Last;
      if (!exchange.isPatient && random_.oneIn(10)) {
        state = Instance::BodyState::ClientGone;
        isCut_ = true;
      }
      isRead_ = false;
    }
    then(piece, state);
  }

  Clients& clients_;
  Findings& findings_;
  std::mutex mutex_;  // Guards all below.
  Random random_;
  std::string text_;
  std::size_t sent_ = 0;
  bool hasHead_ = false;
  bool follows_ = false;
  bool isFull_ = false;
  bool isRead_ = false;
  bool isGone_ = false;  // As its last answer said,
  bool isCut_ = false;   // or its request.
  bool hasEnded_ = false;
};

// Requests for worker threads, which park them; some are stopped by somebody else.
class Requester {
 public:
  Requester(const Common& common, Clients& clients, const Databases& databases, Random random,
            std::size_t seat)
      : common_(common), clients_(clients), databases_(databases), random_(random), seat_(seat) {}

  void until(Clock::time_point end) {
    while (Clock::now() < end) {
      const auto until =
          std::min(end, Clock::now() + std::chrono::milliseconds(random_.upTo(2'000)));
      isEnding_ = false;
      Workers workers(common_.watchdog, smallWorkers(random_));
      while (Clock::now() < until) {
        common_.supervisor.at(seat_, "posting requests");
        if (!post(workers)) std::this_thread::sleep_for(2ms);
      }
      common_.supervisor.at(seat_, "the end of workers with parked calls");
      if (random_.oneIn(2)) workers.drain();
      isEnding_ = true;
    }
    if (answered_ != accepted_) {
      common_.findings.wrong(str(accepted_, " requests were accepted, ", answered_, " answered"));
    }
    common_.supervisor.leave(seat_);
  }

 private:
  bool post(Workers& workers) {
    auto client = std::make_shared<Client>(clients_, common_.findings, Exchange::of(random_),
                                           Random(static_cast<std::uint32_t>(random_.upTo(~0u)), 0,
                                                  static_cast<std::uint32_t>(seat_)));
    Job job{.app = common_.apps.get(random_.upTo(common_.apps.size() - 1)),
            .isolation = random_.oneIn(3) ? Isolation::Worker : Isolation::Request,
            .key = std::to_string(random_.upTo(6)),
            .argument = client->exchange.message()};
    const auto database = random_.of(databases_);
    if (random_.oneIn(2)) {
      job.database = database;
    } else {
      job.open = [database] { return database; };
    }
    Limits limits = job.app->limits();
    if (!client->exchange.isPatient) {
      limits = shortLimits(random_, limits);
      limits.runTimeMax = std::chrono::milliseconds(random_.upTo(200));
      std::stop_source stop;
      job.request.stop = stop.get_token();
      if (random_.oneIn(3)) {
        clients_.later(random_.upTo(30) * 1ms, [stop]() mutable { stop.request_stop(); });
      }
    }
    job.request.kind = CallKind::Fetch;
    job.request.limits = limits;
    job.peer = client;
    job.done = [this, client, limits](const JobReport& report) {
      ++answered_;
      look(*client, limits, report);
    };
    if (!workers.tryPost(std::move(job))) return false;
    ++accepted_;
    return true;
  }

  void look(Client& client, const Limits& limits, const JobReport& report) {
    common_.findings.countJob(report.end);
    const std::string_view name = client.exchange.name;
    if (report.end == JobEnd::Failed) {
      common_.findings.wrong(str("the request ", name, " failed: ", report.failure->message()));
    }
    if (report.end != JobEnd::Called) return;
    checkStopped(common_.findings, name, report.call, limits);
    client.look(report.call, isEnding_);
  }

  const Common& common_;
  Clients& clients_;
  const Databases& databases_;
  Random random_;
  const std::size_t seat_;
  std::uint64_t accepted_ = 0;
  std::atomic<std::uint64_t> answered_{0};
  std::atomic<bool> isEnding_{false};
};

// A call in steps, and what it has got so far.
struct SteppedCall {
  Exchange exchange;
  Limits limits;
  std::shared_ptr<ConnectionPool> database;
  std::shared_ptr<std::stop_source> stop;
  std::string text;
  std::size_t sent = 0;
  bool isCut = false;  // Its client has gone.
  bool wasGivenUp = false;
  IsolatePool::Loan loan;  // Ends before its database does.
};

// Where threads leave calls to each other. Thread-safe.
class ParkedCalls {
 public:
  void add(std::unique_ptr<SteppedCall> call) {
    const std::lock_guard lock(mutex_);
    calls_.push_back(std::move(call));
  }
  // Null when there is none.
  std::unique_ptr<SteppedCall> take(Random& random) {
    const std::lock_guard lock(mutex_);
    if (calls_.empty()) return nullptr;
    std::swap(random.of(calls_), calls_.back());
    auto call = std::move(calls_.back());
    calls_.pop_back();
    return call;
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<SteppedCall>> calls_;
};

// One thread with a pool, which makes a step of this call and of that.
class Stepper {
 public:
  Stepper(const Common& common, ParkedCalls& parked, const Databases& databases, Random random,
          std::size_t seat)
      : common_(common),
        parked_(parked),
        databases_(databases),
        random_(random),
        seat_(seat),
        pool_(common.watchdog, {.bytesMax = 32ull << 20, .restAfter = 5ms, .idleTimeMax = 50ms}) {}

  // On a thread that GuestThread made.
  void until(Clock::time_point end) {
    while (Clock::now() < end) {
      auto call = random_.oneIn(4) ? nullptr : parked_.take(random_);
      common_.supervisor.at(seat_, call ? call->exchange.name : "beginning a call in steps");
      step(call ? std::move(call) : begin());
      if (random_.oneIn(8)) static_cast<void>(pool_.prepareAhead());
    }
    while (auto call = parked_.take(random_)) {
      common_.supervisor.at(seat_, "ending what is parked");
      if (random_.oneIn(2)) giveUp(*call);
      step(std::move(call));
    }
    common_.supervisor.leave(seat_);
  }

 private:
  std::unique_ptr<SteppedCall> begin() {
    auto call = std::make_unique<SteppedCall>();
    call->exchange = Exchange::of(random_);
    call->database = random_.of(databases_);
    call->stop = std::make_shared<std::stop_source>();
    const auto app = common_.apps.get(random_.upTo(common_.apps.size() - 1));
    call->limits = app->limits();
    if (!call->exchange.isPatient) {
      call->limits = shortLimits(random_, call->limits);
      call->limits.runTimeMax = std::chrono::milliseconds(random_.upTo(200));
    }
    call->loan =
        pool_.lend(app, call->database, random_.oneIn(3) ? Isolation::Worker : Isolation::Request);
    const std::string message = call->exchange.message();
    call->loan->begin(*call->database, {.argument = message,
                                        .kind = CallKind::Fetch,
                                        .limits = call->limits,
                                        .stop = call->stop->get_token()});
    return call;
  }

  // Until it has to wait, and then another thread may have it.
  void step(std::unique_ptr<SteppedCall> call) {
    try {
      for (;;) {
        if (!call->exchange.isPatient && random_.oneIn(20) && abandonOrStop(*call)) return;
        const CallStep step = call->loan->advance();
        switch (step.state) {
          case CallStep::State::Ended:
            return finish(*call);
          case CallStep::State::Response:
            call->text += call->loan->response().body;
            continue;
          case CallStep::State::Piece:
            call->text += call->loan->piece().bytes;
            continue;
          case CallStep::State::WantsBody:
            if (random_.oneIn(2)) receive(*call);
            break;
          case CallStep::State::Waits:
            break;
        }
        if (!call->loan->hasTransaction()) {
          call->loan->park();
          common_.findings.countPark();
          return parked_.add(std::move(call));
        }
        std::this_thread::sleep_until(std::min(step.until, Clock::now() + 1ms));
      }
    } catch (const std::exception& error) {
      common_.findings.wrong(str("in steps ", call->exchange.name, " threw ", error.what()));
      pool_.giveUp(std::move(call->loan));
    }
  }

  void receive(SteppedCall& call) {
    const std::string_view rest = std::string_view(call.exchange.body).substr(call.sent);
    const bool isLast = random_.oneIn(4);
    const std::string_view piece = isLast ? rest : rest.substr(0, random_.upTo(rest.size()));
    call.sent += piece.size();
    const bool isGone = !call.exchange.isPatient && random_.oneIn(10);
    call.isCut |= isGone;
    call.loan->receive(piece, isGone   ? Instance::BodyState::ClientGone
                              : isLast ? Instance::BodyState::Last
                                       : Instance::BodyState::Continues);
  }

  void giveUp(SteppedCall& call) {
    call.wasGivenUp = true;
    call.loan->giveUp("the round is over");
  }

  // True when it is gone.
  bool abandonOrStop(SteppedCall& call) {
    switch (random_.upTo(4)) {
      case 0:
        call.loan->abandon();
        pool_.giveUp(std::move(call.loan));
        return true;
      case 1:  // It is given up while it runs.
        return true;
      case 2:
        call.stop->request_stop();
        return false;
      default:
        giveUp(call);
        return false;
    }
  }

  void finish(SteppedCall& call) {
    const CallReport report = call.loan->finish();
    pool_.takeBack(std::move(call.loan), report.end);
    checkStopped(common_.findings, call.exchange.name, report, call.limits);
    const std::string& expected = call.exchange.expected;
    const bool isAnswered = report.end == CallEnd::Answered;
    if (call.exchange.mayEnd &&
        !(isAnswered && !call.isCut ? call.text == expected : expected.starts_with(call.text))) {
      common_.findings.wrong(describe(call.exchange.name, report) + " in steps: " + call.text);
    }
    if (call.exchange.isPatient && !isAnswered && !call.wasGivenUp) {
      common_.findings.wrong("in steps, with all its time " + describe(call.exchange.name, report));
    }
  }

  const Common& common_;
  ParkedCalls& parked_;
  const Databases& databases_;
  Random random_;
  const std::size_t seat_;
  IsolatePool pool_;
};

}  // namespace schemascript
