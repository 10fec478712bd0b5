// `schemascript call`
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <iomanip>
#include <system_error>

#include "base/suggest.h"
#include "base/units.h"
#include "cli/app.h"
#include "cli/commands.h"
#include "cli/error-report.h"
#include "cli/served-app.h"
#include "cli/sql-trace.h"
#include "cli/text.h"
#include "runtime/app.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;

std::string readStandardInput(std::uint64_t bytesMax) {
  std::string text;
  std::array<char, 64 * 1024> block;
  for (;;) {
    const ssize_t size = ::read(STDIN_FILENO, block.data(), block.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) {
      throw unavailable(
          str("cannot read standard input: ", std::generic_category().message(errno)));
    }
    if (size == 0) return text;
    text.append(block.data(), static_cast<std::size_t>(size));
    if (text.size() > bytesMax) {
      throw invalidRequest(str("standard input is more than fits into the sandbox's ",
                               formatSize(bytesMax), " (--memory-limit)"));
    }
  }
}

// JSON, or nothing when there is no argument. An empty text would stand for none.
std::string argumentOf(const CallCommand& command) {
  if (!command.argument) return {};
  const bool isInput = *command.argument == "-";
  std::string text = isInput ? readStandardInput(command.limits.memoryBytesMax) : *command.argument;
  if (text.empty()) {
    throw invalidRequest(
        str(isInput ? "standard input" : "ARGUMENT",
            " is empty, which is no JSON; leave ARGUMENT out to call without one"));
  }
  return text;
}

// `'find', 'add'`
std::string listed(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += str(list.empty() ? "" : ", ", name);
  return list;
}

Error missingExport(const CallCommand& command, std::vector<std::string> known) {
  const std::string what =
      str(command.file.string(), " exports no function '", command.exported, "'");
  if (known.empty()) {
    return invalidRequest(
        str(what, "; it exports none at all: write export async function ", "NAME() { ... }"));
  }
  std::sort(known.begin(), known.end());
  const std::vector<std::string_view> names(known.begin(), known.end());
  const auto nearest = tryFindNearest(command.exported, names);
  return invalidRequest(str(what, nearest ? str("; did you mean '", *nearest, "'?") : "",
                            nearest ? " It" : "; it", " exports ", listed(known)));
}

Error badArgument(const CallCommand& command, const ErrorDescription& error) {
  const std::string& text = *command.argument;
  const bool isWord = !text.empty() && std::isalpha(static_cast<unsigned char>(text.front())) != 0;
  return invalidRequest(
      str(text == "-" ? "standard input" : "ARGUMENT", " is not JSON: ", error.message,
          isWord ? str("; a text is written with its quotes: '\"", text, "\"'") : ""));
}

double milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

// One call, from its file to what is said about it.
class AppCall {
 public:
  AppCall(const CallCommand& command, Bundle bundle)
      : command_(command),
        code_(std::move(bundle.code)),
        map_(std::move(bundle.map)),
        database_(openDatabase(command.database,
                               command.readOnly ? Access::ReadOnly : Access::ReadWrite,
                               command.limits)),
        engine_(EngineFiles::in(libraryFolder().string())) {}

  ExitCode toEnd(const std::string& argument, Output& output) {
    const auto begin = std::chrono::steady_clock::now();
    App::Loaded loaded = load();
    loadTime_ = std::chrono::steady_clock::now() - begin;
    fromCache_ = loaded.fromFile;
    if (loaded.end != CallEnd::Answered) return say(loaded.end, std::move(loaded.error), 0);
    if (command_.pushFirst) {
      const ExitCode pushed = pushTables();
      if (pushed != ExitCode::Success) return pushed;
    }
    CallReport report = call(loaded.app, argument);
    sumUp();
    if (report.end == CallEnd::NoSuchExport) {
      throw missingExport(command_, std::move(report.error.exports));
    }
    if (report.end == CallEnd::BadArgument) throw badArgument(command_, report.error);
    if (!report.result.empty()) output.write(report.result + '\n');
    const ExitCode code = say(report.end, std::move(report.error), report.rolledBack);
    if (command_.showStatistics) writeToStandardError(statistics(report.cost));
    return code;
  }

 private:
  App::Loaded load() {
    return loadThroughCache(engine_, watchdog_, code_, {.limits = command_.limits, .log = log()});
  }

  // The app is read for its tables once more, without a word: what it writes was shown, or will not
  // be, by load().
  ExitCode pushTables() {
    const TablesPush pushed =
        tryPushTables(engine_, watchdog_, *database_, code_, command_.limits, trace());
    const RunReport::End end = pushed.report.end;
    if (end != RunReport::End::Answered) sumUp();
    if (end == RunReport::End::Threw && pushed.failure) throw *pushed.failure;
    return say(pushed.report);
  }

  CallReport call(const std::shared_ptr<const App>& app, const std::string& argument) {
    CallReport report;
    GuestThread::run([&] {
      Isolate isolate(app, watchdog_);
      report =
          isolate.call(*database_, {.name = command_.exported,
                                    .argument = argument,
                                    .log = log(),
                                    .readOnly = command_.readOnly,
                                    .capabilities = command_.capabilities,
                                    .boundValues = command_.showValues ? BoundValueDisplay::Shown
                                                                       : BoundValueDisplay::Hidden,
                                    .trace = trace()});
    });
    return report;
  }

  StatementSink trace() { return command_.traceSql ? trace_.sink() : StatementSink(); }

  // When no more SQL will come.
  void sumUp() {
    if (command_.traceSql) trace_.addSum();
  }

  // Standard output is the answer's.
  LogSink log() {
    return [this](LogStream, std::string_view text) {
      if (SourceMap::mentionsBundle(text)) return writeToStandardError(map_.mapPositions(text));
      writeToStandardError(text);
    };
  }

  ExitCode say(CallEnd end, ErrorDescription error, std::size_t rolledBack) {
    RunReport report;
    report.end = end;
    report.error = std::move(error);
    report.rolledBack = rolledBack;
    return say(report);
  }

  ExitCode say(const RunReport& report) {
    const Paint paint(coloursFor(STDERR_FILENO));
    writeToStandardError(renderReport(report, command_.limits, map_, paint));
    return exitCodeOf(report.end);
  }

  std::string statistics(const CallReport::Cost& cost) const {
    const StatementCache::Counters statements = database_->counters().statements;
    return str("schemascript: ", std::fixed, std::setprecision(1), milliseconds(cost.wall),
               " ms, of them ", milliseconds(cost.processor), " ms of processor; app ",
               fromCache_ ? "from the cache" : "evaluated", " in ", milliseconds(loadTime_),
               " ms; ", static_cast<double>(cost.heapBytes) / (1 << 20),
               "mb of heap; statements: ", statements.misses, " prepared, ", statements.hits,
               " from the cache, ", statements.evictions, " evicted from it\n");
  }

  const CallCommand& command_;
  const std::string code_;
  SourceMap map_;
  const std::unique_ptr<ConnectionPool> database_;
  const Engine engine_;
  Watchdog watchdog_;
  SqlTrace trace_ = SqlTrace::onStandardError();
  std::chrono::nanoseconds loadTime_{};
  bool fromCache_ = false;
};

}  // namespace

ExitCode callCommand(const CallCommand& command, Output& output) {
  Bundle bundle = bundleSource(command.file);
  if (!bundle.complaints.empty()) {
    writeToStandardError(bundle.complaints);
    return ExitCode::Usage;
  }
  const std::string argument = argumentOf(command);
  return AppCall(command, std::move(bundle)).toEnd(argument, output);
}

}  // namespace schemascript
