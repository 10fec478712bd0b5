// Gathers what a session tells its trace sink: measures each statement, and hands it over when the
// request is done, so that the sink holds up neither the statement nor other writers.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <list>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "bridge/statement-trace.h"
#include "database/database.h"

namespace schemascript {

// Without a sink it costs a look at a pointer or two for each statement. Belongs to one thread.
class Tracer {
 public:
  // A statement that has begun and will go on. Empty: none.
  using Kept = std::list<TracedStatement>;

  struct Begun {
    Method method;
    std::optional<TransactionHandle> transaction;
    std::string_view sql;
    std::span<const ValueView> values{};
  };

  // `rows` counts the rows of all answers, and must outlive the tracer.
  Tracer(StatementSink sink, BoundValueDisplay values, const std::uint64_t& rows)
      : sink_(std::move(sink)), valuesDisplay_(values), allRows_(rows) {}
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  bool isOn() const noexcept { return static_cast<bool>(sink_); }

  // Executes `action`, which is a statement on `database`, and throws what it throws.
  template <typename Action>
  void statement(Database& database, const Begun& begun, Action&& action) {
    if (!isOn()) return action();
    begin(database, begun);
    toEnd(action);
  }
  // The same for one that keepForLater() was called for.
  template <typename Action>
  void goOn(Database& database, Kept& kept, Action&& action) {
    if (kept.empty()) return action();
    resume(database, kept);
    toEnd(action);
  }

  // To be called from inside of such an action; without a sink they do nothing.
  void inTransaction(TransactionHandle transaction) noexcept {
    if (isTracing()) present().transaction = transaction;
  }
  void executed(bool hasRows, const Changes& changes) noexcept {
    if (!isTracing()) return;
    present().hasRows = hasRows;
    present().changes = changes.rows;
  }
  // What `action` takes is waiting for a turn to write.
  template <typename Action>
  auto waiting(Action&& action) {
    const Wait wait(isTracing() ? &present().waited : nullptr);
    return action();
  }
  // The statement does not end with the action: it is `kept` until goOn() or end().
  void keepForLater(Kept& kept) noexcept;
  // Ends one that was kept.
  void end(Kept& kept) noexcept { ended_.splice(ended_.end(), kept); }

  // The statements of a batch are compiled before the first of them begins: compile() is to be
  // called for each from the first on, and takeCompilation() when number `index` is executed.
  void forgetCompilations() noexcept { compilations_.clear(); }
  template <typename Action>
  void compile(Database& database, Action&& action) {
    if (!isOn()) return action();
    startClock(database);
    action();
    compilations_.push_back(readClock());
  }
  void takeCompilation(std::size_t index) noexcept {
    if (isTracing() && index < compilations_.size()) add(compilations_[index]);
  }

  // Tells the sink of all that have ended, and keeps what it throws.
  void tell() noexcept;
  // Throws what the sink has thrown. Once.
  void throwFailure() {
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

 private:
  using Clock = std::chrono::steady_clock;

  // More are told of before the request is done: a batch can have very many.
  static constexpr std::size_t kEndedMax = 1'000;

  struct Compilation {
    std::chrono::nanoseconds took{};
    std::chrono::nanoseconds waited{};
    bool compiled = false;
  };

  class Wait {
   public:
    explicit Wait(std::chrono::nanoseconds* sum) noexcept : sum_(sum) {
      if (sum_ != nullptr) begin_ = Clock::now();
    }
    ~Wait() {
      if (sum_ != nullptr) *sum_ += Clock::now() - begin_;
    }
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;

   private:
    std::chrono::nanoseconds* const sum_;
    Clock::time_point begin_{};
  };

  template <typename Action>
  void toEnd(Action&& action) {
    try {
      action();
    } catch (const Error& error) {
      fail(error.message());
      throw;
    } catch (...) {
      fail("there is no memory left");
      throw;
    }
    finish();
  }

  bool isTracing() const noexcept { return !present_.empty(); }
  TracedStatement& present() noexcept { return present_.front(); }
  void begin(Database& database, const Begun& begun);
  void resume(Database& database, Kept& kept) noexcept;
  void startClock(Database& database) noexcept;
  Compilation readClock() const noexcept;
  void add(const Compilation& part) noexcept;
  void stopClock() noexcept;
  void fail(std::string_view message);
  void finish() noexcept;

  StatementSink sink_;
  const BoundValueDisplay valuesDisplay_;
  const std::uint64_t& allRows_;
  Kept present_;  // One at most: the statement that is executed now.
  Kept ended_;    // Not told of yet.
  std::vector<Compilation> compilations_;
  std::exception_ptr failure_;
  // What the clock started with.
  const Database* database_ = nullptr;
  Clock::time_point begin_{};
  std::chrono::nanoseconds lockWaitBefore_{};
  std::uint64_t missesBefore_ = 0;
  std::uint64_t rowsBefore_ = 0;
};

}  // namespace schemascript
