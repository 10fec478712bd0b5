// What each layer of the host takes by itself: microseconds with Google Benchmark, or instructions
// under valgrind, which are the same from run to run.
//
//     layers-bench GUEST_FOLDER BUNDLE [--benchmark_...]
//     valgrind --tool=callgrind layers-bench GUEST_FOLDER BUNDLE --count [LAYER]
//
// BUNDLE is that of guests-app.ts. --count writes one line for each layer, its name, kCounted and
// its fuel, and has callgrind dump what it counted of kCounted times of that layer, under its name;
// bench/layers.mjs reads both.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_DUMP_STATS_AT(name)
#define CALLGRIND_ZERO_STATS
#endif

#include "base/error.h"
#include "base/file.h"
#include "bridge/codec.h"
#include "bridge/session.h"
#include "runtime/app.h"

namespace schemascript {
namespace {

constexpr int kWarmUps = 40;
constexpr int kCounted = 20;

constexpr std::string_view kById = "select id, name, email, score from users where id = ?";

std::span<const std::byte> bytesOf(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// Requests in the binary form, as docs/protocol.md has it.
template <typename Number>
void append(std::string& bytes, Number number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void append(std::string& bytes, std::string_view text) {
  append(bytes, static_cast<std::uint32_t>(text.size()));
  bytes += text;
}

std::string headOf(Method method) {
  std::string bytes{kBinaryForm, static_cast<char>(method), 0, 0};
  bytes.append(8, '\0');  // No transaction, no cursor.
  return bytes;
}

void appendById(std::string& bytes, std::int64_t id) {
  append(bytes, kById);
  append(bytes, std::uint32_t{1});
  bytes += static_cast<char>(Tag::Integer);
  append(bytes, id);
}

std::string getRequest(std::int64_t id) {
  std::string bytes = headOf(Method::Get);
  appendById(bytes, id);
  return bytes;
}

std::string batchRequest(std::uint32_t count) {
  std::string bytes = headOf(Method::Batch);
  append(bytes, count);
  for (std::uint32_t step = 0; step < count; ++step) {
    bytes.append({static_cast<char>(Method::Get), 0, 0, 0});
    appendById(bytes, step + 1);
  }
  return bytes;
}

// What all layers work with. Made and used on a guest's thread.
class Bench {
 public:
  Bench(const std::string& guestFolder, const std::string& bundle)
      : engine_(EngineFiles::in(guestFolder)) {
    const App::Loaded loaded = App::load(engine_, watchdog_, readFile(bundle), {});
    if (!loaded.app) throw guestFailed("the app cannot be loaded: " + loaded.error.message);
    app_ = loaded.app;
    fresh_ = newIsolate(Isolation::Request);
    kept_ = newIsolate(Isolation::Worker);
    call(*kept_, "setUp");
    // More texts than a connection keeps statements for.
    for (int text = 0; text < 1000; ++text) texts_.push_back(str(kById, " and ", text, " = 0"));
  }

  void decodeGet() { decodeQuery(bytesOf(get_), limits_, query_); }
  void decodeBatch() { decodeQuery(bytesOf(batch_), limits_, query_); }
  void encodeRow() { encode(1); }
  void encodeRows() { encode(1000); }
  void lendPrepared() { database_->lend(kById); }
  void prepare() { database_->lend(texts_[nextText_++ % texts_.size()]); }

  // A request from its bytes to those of its answer, without a guest.
  void request() {
    std::array<std::byte, 1024> answer;
    const std::uint32_t length = session_.query(bytesOf(get_));
    if (length > answer.size() || session_.copyResult(answer) != length) {
      throw guestFailed("a request was not answered");
    }
  }

  // The same from JavaScript, without Drizzle; and what the guest asks that SQLite has no part in.
  void syscalls() { call(*kept_, "syscalls", "1000"); }
  void rawGets() { call(*kept_, "rawGets", "100"); }

  void nothing() { call(*kept_, "nothing"); }
  void nothingFresh() {
    fresh_->refresh();
    call(*fresh_, "nothing");
  }
  void prepared() { call(*kept_, "prepared", "1"); }
  void preparedFresh() {
    fresh_->refresh();
    call(*fresh_, "prepared", "1");
  }
  void built() { call(*kept_, "built", "1"); }
  void builtFresh() {
    fresh_->refresh();
    call(*fresh_, "built", "1");
  }
  void rows() { call(*kept_, "rows", "1"); }
  void inserts() { call(*kept_, "inserts", "100"); }
  void isolate() { call(*newIsolate(Isolation::Request), "nothing"); }

  // Of the last call.
  std::uint64_t fuel() const noexcept { return fuel_; }
  void forgetFuel() noexcept { fuel_ = 0; }

 private:
  std::unique_ptr<Isolate> newIsolate(Isolation isolation) {
    return std::make_unique<Isolate>(app_, watchdog_, IsolateOptions{.isolation = isolation});
  }

  void call(Isolate& isolate, const char* name, const char* argument = "") {
    const CallReport report = isolate.call(pool_, {.name = name, .argument = argument});
    if (report.end != CallEnd::Answered) {
      throw guestFailed(str(name, " failed: ", report.error.message));
    }
    fuel_ = report.cost.fuel;
  }

  void encode(int rows) {
    writer_.begin(Form::Binary);
    writer_.openRows(Method::All);
    for (int row = 1; row <= rows; ++row) {
      writer_.openRow();
      writer_.value(ValueView::ofInteger(row));
      writer_.value(ValueView::ofText("User 4711"));
      writer_.value(ValueView::ofText("4711@example.org"));
      writer_.value(ValueView::ofReal(row / 2.0));
      writer_.closeRow();
    }
    writer_.closeRows({}, {});
  }

  Engine engine_;
  Watchdog watchdog_;
  ConnectionPool pool_{DatabaseOptions{}};
  std::shared_ptr<const App> app_;
  std::unique_ptr<Isolate> fresh_;
  std::unique_ptr<Isolate> kept_;
  std::uint64_t fuel_ = 0;

  const Limits limits_{};
  const std::string get_ = getRequest(4711);
  const std::string batch_ = batchRequest(100);
  Query query_;
  AnswerWriter writer_{limits_};
  Connection database_{pool_.lend()};
  Session session_{pool_, {}};
  std::vector<std::string> texts_;
  std::size_t nextText_ = 0;
};

struct Layer {
  const char* name;
  void (Bench::*run)();
};

constexpr Layer kLayers[] = {
    {"decode a get", &Bench::decodeGet},
    {"decode a batch of 100", &Bench::decodeBatch},
    {"encode a row", &Bench::encodeRow},
    {"encode 1,000 rows", &Bench::encodeRows},
    {"lend a cached statement", &Bench::lendPrepared},
    {"prepare a statement", &Bench::prepare},
    {"a get, bytes to bytes", &Bench::request},
    {"1,000 syscalls without SQLite", &Bench::syscalls},
    {"100 gets without Drizzle", &Bench::rawGets},
    {"a call that does nothing", &Bench::nothing},
    {"the same after a reset", &Bench::nothingFresh},
    {"a prepared get", &Bench::prepared},
    {"a prepared get after a reset", &Bench::preparedFresh},
    {"a get that is built anew", &Bench::built},
    {"the same, after a reset", &Bench::builtFresh},
    {"10,000 rows", &Bench::rows},
    {"100 inserts in a transaction", &Bench::inserts},
    {"a new isolate and its call", &Bench::isolate},
};

void time(Bench& bench, int count, char** words) {
  for (const Layer& layer : kLayers) {
    benchmark::RegisterBenchmark(layer.name, [&bench, run = layer.run](benchmark::State& state) {
      for ([[maybe_unused]] auto turn : state) (bench.*run)();
    });
  }
  benchmark::Initialize(&count, words);
  benchmark::RunSpecifiedBenchmarks();
}

// `only`: the name of one layer; empty for all.
void countInstructions(Bench& bench, std::string_view only) {
  bool isThere = only.empty();
  for (const Layer& layer : kLayers) {
    if (!only.empty() && only != layer.name) continue;
    isThere = true;
    bench.forgetFuel();
    for (int turn = 0; turn < kWarmUps; ++turn) (bench.*layer.run)();
    CALLGRIND_ZERO_STATS;
    for (int turn = 0; turn < kCounted; ++turn) (bench.*layer.run)();
    CALLGRIND_DUMP_STATS_AT(layer.name);
    std::printf("%s\t%d\t%llu\n", layer.name, kCounted,
                static_cast<unsigned long long>(bench.fuel()));
    std::fflush(stdout);
  }
  if (!isThere) throw invalidRequest(str("there is no layer '", only, "'"));
}

}  // namespace
}  // namespace schemascript

int main(int count, char** words) {
  using namespace schemascript;
  if (count < 3) {
    std::fprintf(stderr,
                 "usage: layers-bench GUEST_FOLDER BUNDLE [--count [LAYER] | --benchmark_...]\n");
    return 2;
  }
  try {
    GuestThread::run([&] {
      Bench bench(words[1], words[2]);
      if (count > 3 && std::strcmp(words[3], "--count") == 0) {
        countInstructions(bench, count > 4 ? words[4] : "");
      } else {
        time(bench, count, words);
      }
    });
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "layers-bench: %s\n", error.what());
    return 1;
  }
}
