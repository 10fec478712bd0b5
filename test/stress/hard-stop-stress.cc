// Stops guests at random moments, in their own code and in the host's, many at the same time, and
// looks whether everything else is as it should be.
//
//   hard-stop-stress SECONDS SEED
//
// Works in rounds. In each of them threads with isolates of their own, and worker threads behind a
// queue, call one app's functions that never end, on databases that they share. Whatever becomes of
// such a call, the next call in its isolate works, a writer gets its turn, and no transaction was
// half done. Handlers of requests are parked meanwhile, with clients that send and read as they
// like, and calls in steps pass from thread to thread. After a round all connections are back and
// nothing of it is left: file descriptors, mappings, memory. The last line says what was done;
// status 1 when something was wrong.
#include <malloc.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "parked-calls.h"
#include "parts.h"

namespace schemascript {
namespace {

// Rounds after which nothing may grow any more.
constexpr int kWarmUpRounds = 3;

// One thread with some isolates, each of which is called, stopped, and looked at.
class Caller {
 public:
  Caller(const Common& common, const Databases& shared, Random random, std::size_t seat)
      : common_(common), databases_(shared), random_(random), seat_(seat) {}

  // On a thread that GuestThread made.
  void until(Clock::time_point end) {
    databases_.push_back(std::make_shared<ConnectionPool>(DatabaseOptions{}));
    {
      Isolate isolate(common_.apps.get(0), common_.watchdog);
      expect(isolate, *databases_.back(), "setUp", "");
    }
    while (Clock::now() < end) {
      Slot& slot = random_.of(slots_);
      if (!slot.isolate) make(slot);
      ConnectionPool& database = *random_.of(databases_);
      stop(slot, database);
      lookAt(slot, database);
      change(slot);
    }
    for (Slot& slot : slots_) slot.isolate.reset();
    common_.supervisor.leave(seat_);
  }

 private:
  struct Slot {
    std::shared_ptr<const App> app;
    Isolation isolation = Isolation::Request;
    std::unique_ptr<Isolate> isolate;
  };

  void make(Slot& slot) {
    slot.app = common_.apps.get(random_.upTo(common_.apps.size() - 1));
    slot.isolation = random_.oneIn(3) ? Isolation::Worker : Isolation::Request;
    slot.isolate = std::make_unique<Isolate>(
        slot.app, common_.watchdog,
        IsolateOptions{slot.isolation, random_.oneIn(8) ? ResetCheck::Yes : ResetCheck::No});
    common_.findings.countIsolate();
  }

  void stop(Slot& slot, ConnectionPool& database) {
    const std::string_view name = random_.of(kVictims);
    common_.supervisor.at(seat_, name);
    CallRequest request{.name = name, .log = shortLog(random_)};
    request.limits = shortLimits(random_, slot.app->limits());
    request.readOnly = random_.oneIn(10);
    try {
      const CallReport report = slot.isolate->call(database, request);
      checkStopped(common_.findings, name, report, *request.limits);
    } catch (const Error& error) {
      common_.findings.wrong(str(name, " threw ", error.message()));
    } catch (const LogIsFull&) {
      common_.findings.countThrown();
    }
  }

  // A call with all the time that it needs.
  void expect(Isolate& isolate, ConnectionPool& database, std::string_view name,
              std::string_view result) {
    common_.supervisor.at(seat_, name);
    common_.findings.countCheck();
    try {
      const CallReport report = isolate.call(database, {.name = name});
      if (report.end != CallEnd::Answered || (!result.empty() && report.result != result)) {
        common_.findings.wrong("afterwards " + describe(name, report));
      }
    } catch (const std::exception& error) {
      common_.findings.wrong(str("afterwards ", name, " threw ", error.what()));
    }
  }

  void lookAt(Slot& slot, ConnectionPool& database) {
    // What is stopped and destroyed at once, or stopped again, must do no harm either.
    if (random_.oneIn(4)) return;
    expect(*slot.isolate, database, "fine", slot.isolation == Isolation::Request ? "1" : "");
    if (random_.oneIn(4)) expect(*slot.isolate, database, "sums", kSums);
    if (random_.oneIn(8)) expect(*slot.isolate, database, "transferOnce", "");
  }

  void change(Slot& slot) {
    switch (random_.upTo(30)) {
      case 0:
      case 1:
        return slot.isolate.reset();
      case 2:
        return slot.isolate->discard();
      case 3:
        return slot.isolate->rest();
      case 4:
        return slot.isolate->refresh();
      default:
        return;
    }
  }

  const Common& common_;
  Databases databases_;
  Random random_;
  const std::size_t seat_;
  std::array<Slot, 3> slots_;
};

// Jobs for worker threads, some of which are cancelled in the end.
class Poster {
 public:
  Poster(const Common& common, const Databases& databases, Random random, std::size_t seat)
      : common_(common), databases_(databases), random_(random), seat_(seat) {}

  void until(Clock::time_point end) {
    {
      Workers workers(common_.watchdog, smallWorkers(random_));
      while (Clock::now() < end) {
        common_.supervisor.at(seat_, "posting");
        if (!post(workers)) std::this_thread::sleep_for(2ms);
      }
      common_.supervisor.at(seat_, "the end of the workers");
      if (random_.oneIn(2)) workers.drain();
    }
    if (answered_ != accepted_) {
      common_.findings.wrong(str(accepted_, " jobs were accepted, ", answered_, " answered"));
    }
    common_.supervisor.leave(seat_);
  }

 private:
  bool post(Workers& workers) {
    const bool isCheck = random_.oneIn(4);
    const std::string_view name =
        !isCheck ? random_.of(kVictims) : (random_.oneIn(2) ? "sums" : "fine");
    Job job{.app = common_.apps.get(random_.upTo(common_.apps.size() - 1)),
            .database = random_.of(databases_),
            .isolation = random_.oneIn(3) ? Isolation::Worker : Isolation::Request,
            .key = std::to_string(random_.upTo(6)),
            .name = std::string(name)};
    Limits limits = job.app->limits();
    if (!isCheck) {
      limits = shortLimits(random_, limits);
      job.request.limits = limits;
      job.request.log = shortLog(random_);
      if (random_.oneIn(4)) job.notAfter = Clock::now() + random_.upTo(100) * 1ms;
    }
    job.done = [this, name, isCheck, limits](const JobReport& report) {
      ++answered_;
      look(name, isCheck, limits, report);
      if (name == "loop") throw std::runtime_error("nobody listens");
    };
    if (!workers.tryPost(std::move(job))) return false;
    ++accepted_;
    return true;
  }

  void look(std::string_view name, bool isCheck, const Limits& limits, const JobReport& report) {
    common_.findings.countJob(report.end);
    if (report.end == JobEnd::Failed && report.failure->message() != kLogIsFull) {
      common_.findings.wrong(str("the job ", name, " failed: ", report.failure->message()));
    }
    if (report.end != JobEnd::Called) return;
    checkStopped(common_.findings, name, report.call, limits);
    const bool isRight =
        report.call.end == CallEnd::Answered && (name != "sums" || report.call.result == kSums);
    if (isCheck && !isRight) common_.findings.wrong("the job " + describe(name, report.call));
  }

  const Common& common_;
  const Databases& databases_;
  Random random_;
  const std::size_t seat_;
  std::uint64_t accepted_ = 0;
  std::atomic<std::uint64_t> answered_{0};
};

// Loads apps while the others call them; some of them never end their evaluation.
void loadUntil(const Common& common, Random random, std::size_t seat, Clock::time_point end) {
  while (Clock::now() < end) {
    common.supervisor.at(seat, "loading an app");
    try {
      common.apps.replace(random.upTo(common.apps.size() - 1));
      const CallEnd stopped = common.apps.loadEndless(random.upTo(20) * 1ms);
      if (stopped != CallEnd::TimeExceeded) {
        common.findings.wrong("loading an endless app ended with " +
                              std::string(kEnds[static_cast<std::size_t>(stopped)]));
      }
    } catch (const std::exception& error) {
      common.findings.wrong(str("loading an app threw ", error.what()));
    }
    common.findings.countApp();
    std::this_thread::sleep_for(random.upTo(200) * 1ms);
  }
  common.supervisor.leave(seat);
}

// SQLite's own word on a file, from a connection that knows nothing of ours.
void checkFile(Findings& findings, const std::filesystem::path& file) {
  sqlite3* raw = nullptr;
  sqlite3_open_v2(file.c_str(), &raw, SQLITE_OPEN_READWRITE, nullptr);
  const std::unique_ptr<sqlite3, decltype(&sqlite3_close_v2)> database(raw, sqlite3_close_v2);
  std::string answer;
  const auto append = [](void* text, int, char** values, char**) {
    *static_cast<std::string*>(text) += values[0];
    return 0;
  };
  const int status = sqlite3_exec(raw,
                                  "pragma integrity_check; begin immediate; "
                                  "select sum(balance) from accounts; commit",
                                  append, &answer, nullptr);
  if (status != SQLITE_OK || answer != "ok1000") {
    findings.wrong(str(file.string(), ": ", sqlite3_errstr(status), ", ", answer));
  }
}

// Of this process, when nothing runs.
struct Holdings {
  std::size_t files = 0;
  std::size_t mappings = 0;
  std::uint64_t bytes = 0;

  static Holdings now() {
    malloc_trim(0);
    Holdings holdings;
    const std::filesystem::directory_iterator files("/proc/self/fd");
    holdings.files = static_cast<std::size_t>(std::distance(begin(files), end(files)));
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) ++holdings.mappings;
    std::uint64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages >> pages;
    holdings.bytes = pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    return holdings;
  }
};

// Compares what each round leaves with the most that the first ones left.
class GrowthCheck {
 public:
  // The allocator keeps some memory for later, in arenas and in what is fragmented, now more and
  // now less: what counts is the least of some rounds. A sanitizer keeps what was freed, so that
  // only files are looked at there.
  static constexpr std::uint64_t kBytesBeyond = 96ull << 20;
  static constexpr std::size_t kRoundsOfBytes = 4;
  static constexpr std::size_t kMappingsBeyond = 64;

  void look(Findings& findings) {
    const Holdings now = Holdings::now();
    if (++rounds_ <= kWarmUpRounds) {
      most_ = {std::max(most_.files, now.files), std::max(most_.mappings, now.mappings),
               std::max(most_.bytes, now.bytes)};
    } else {
      const bool grew = now.mappings > most_.mappings + kMappingsBeyond ||
                        leastOfLast(now.bytes) > most_.bytes + kBytesBeyond;
      if (now.files > most_.files || (grew && !kIsSanitized)) {
        findings.wrong("after round " + std::to_string(rounds_) + " this process has " +
                       describe(now) + "; after the first ones it had " + describe(most_));
      }
    }
    last_ = now;
  }
  std::string summary() const { return "warm " + describe(most_) + "; last " + describe(last_); }

 private:
  // Of this round and those before it; 0 while there are too few.
  std::uint64_t leastOfLast(std::uint64_t bytes) {
    bytes_.push_back(bytes);
    if (bytes_.size() < kRoundsOfBytes) return 0;
    if (bytes_.size() > kRoundsOfBytes) bytes_.pop_front();
    return *std::ranges::min_element(bytes_);
  }

  static std::string describe(const Holdings& holdings) {
    return str(holdings.files, " files, ", holdings.mappings, " mappings, ", holdings.bytes >> 20,
               " MiB");
  }

  int rounds_ = 0;
  Holdings most_;
  Holdings last_;
  std::deque<std::uint64_t> bytes_;
};

class Round {
 public:
  Round(const Common& common, const std::filesystem::path& folder)
      : common_(common), files_{folder / "shared.db", folder / "single.db"} {
    // Two pools of one file do not know each other's writers: SQLite lets them wait.
    for (const auto& file : {files_[0], files_[0], files_[1]}) {
      databases_.push_back(std::make_shared<ConnectionPool>(options(file)));
    }
    databases_.push_back(std::make_shared<ConnectionPool>(options({})));
    for (const auto& database : databases_) callOnce(*database, "setUp", "");
  }

  void run(std::uint32_t seed, std::uint32_t round, Clock::time_point end) {
    {
      Clients clients;
      ParkedCalls parked;
      std::vector<std::unique_ptr<GuestThread>> threads;
      const auto begin = [&](auto work) {
        const std::size_t seat = threads.size();
        const Random random(seed, round, static_cast<std::uint32_t>(seat));
        threads.push_back(std::make_unique<GuestThread>([=] { work(random, seat); }));
      };
      for (unsigned caller = 0; caller < kCallers; ++caller) {
        begin([this, end](Random random, std::size_t seat) {
          Caller(common_, databases_, random, seat).until(end);
        });
      }
      begin([this, end](Random random, std::size_t seat) {
        Poster(common_, databases_, random, seat).until(end);
      });
      begin([this, end, &clients](Random random, std::size_t seat) {
        Requester(common_, clients, databases_, random, seat).until(end);
      });
      for (unsigned stepper = 0; stepper < kSteppers; ++stepper) {
        begin([this, end, &parked](Random random, std::size_t seat) {
          Stepper(common_, parked, databases_, random, seat).until(end);
        });
      }
      begin(
          [this, end](Random random, std::size_t seat) { loadUntil(common_, random, seat, end); });
    }
    for (const auto& database : databases_) {
      callOnce(*database, "transferOnce", "");
      callOnce(*database, "sums", kSums);
      if (const auto counters = database->counters(); counters.lent != 0) {
        common_.findings.wrong(str(counters.lent, " connections were not given back"));
      }
    }
    databases_.clear();
    for (const auto& file : files_) checkFile(common_.findings, file);
  }

 private:
  static DatabaseOptions options(const std::filesystem::path& file) {
    DatabaseOptions options{.file = file};
    if (file.empty()) options.memory = std::make_shared<MemoryFile>();
    options.limits.busyTimeMax = kStuckAfter;
    options.limits.connectionsMax = 1'000;
    return options;
  }

  void callOnce(ConnectionPool& database, std::string_view name, std::string_view result) {
    GuestThread::run([&] {
      Isolate isolate(common_.apps.get(0), common_.watchdog);
      const CallReport report = isolate.call(database, {.name = name});
      if (report.end != CallEnd::Answered || (!result.empty() && report.result != result)) {
        common_.findings.wrong("alone, " + describe(name, report));
      }
    });
  }

  const Common& common_;
  const std::array<std::filesystem::path, 2> files_;
  Databases databases_;
};

int stress(std::chrono::seconds time, std::uint32_t seed, const std::filesystem::path& folder) {
  const char* given = std::getenv("STRESS_GUEST_FOLDER");
  const Engine engine(EngineFiles::in(given == nullptr ? SCHEMASCRIPT_GUEST_FOLDER : given));
  Watchdog watchdog;
  Findings findings;
  Apps apps(engine, watchdog, folder);
  Supervisor supervisor;
  const Common common{watchdog, apps, findings, supervisor};
  GrowthCheck growth;
  const auto end = Clock::now() + time;
  const auto roundTime = std::min<Clock::duration>(time / 8, 5s);
  std::uint32_t round = 0;
  while (Clock::now() < end && findings.isAllRight()) {
    Round(common, folder).run(seed, ++round, Clock::now() + roundTime);
    growth.look(findings);
  }
  findings.print(std::cout, static_cast<int>(round));
  std::cout << growth.summary() << std::endl;
  return findings.isAllRight() ? 0 : 1;
}

int stressInFolder(std::chrono::seconds time, std::uint32_t seed) {
  std::string folder = (std::filesystem::temp_directory_path() / "hard-stop-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) throw unavailable("there is no folder for databases");
  const int status = stress(time, seed, folder);
  std::filesystem::remove_all(folder);
  return status;
}

}  // namespace
}  // namespace schemascript

int main(int count, char** arguments) {
  if (count != 3) {
    std::cerr << "usage: hard-stop-stress SECONDS SEED\n";
    return 2;
  }
  try {
    return schemascript::stressInFolder(std::chrono::seconds(std::stoul(arguments[1])),
                                        static_cast<std::uint32_t>(std::stoul(arguments[2])));
  } catch (const std::exception& error) {
    std::cerr << "hard-stop-stress: " << error.what() << "\n";
    return 1;
  }
}
