// `schemascript run`
#include <chrono>
#include <iomanip>

#include "base/error.h"
#include "base/units.h"
#include "cli/app.h"
#include "cli/commands.h"
#include "cli/sql-trace.h"

namespace schemascript {
namespace {

std::string statisticsOf(const AppEnd& end) {
  const double milliseconds = std::chrono::duration<double, std::milli>(end.took).count();
  return str("schemascript: ", std::fixed, std::setprecision(1), milliseconds,
             " ms; fuel: ", end.report.fuel, "; ", formatSize(end.report.memoryBytes),
             " of memory; statements: ", end.statements.misses, " prepared, ", end.statements.hits,
             " from the cache, ", end.statements.evictions, " evicted from it\n");
}

// True when what nobody caught is the failure of the push, or was caused by it.
bool isAbout(const ErrorDescription& error, const Error& failure) {
  if (error.message == failure.message()) return true;
  return !error.causes.empty() && isAbout(error.causes.front(), failure);
}

}  // namespace

ExitCode runCommand(const RunCommand& command, Output& output) {
  SqlTrace trace = SqlTrace::onStandardError();
  AppEnd end = runApp({
      .file = command.file,
      .database = command.database,
      .limits = command.limits,
      .arguments = command.arguments,
      .push = command.pushFirst ? PushWhen::BeforeFirstQuery : PushWhen::Never,
      .readOnly = command.readOnly,
      .capabilities = command.capabilities,
      .boundValues = command.showValues ? BoundValueDisplay::Shown : BoundValueDisplay::Hidden,
      .trace = command.traceSql ? trace.sink() : StatementSink(),
      .log =
          [&output](LogStream stream, std::string_view text) {
            if (stream == LogStream::Output) return output.write(text);
            writeToStandardError(text);
          },
  });
  if (command.traceSql && end.complaints.empty()) trace.addSum();
  const bool threw = end.report.end == RunReport::End::Threw;
  if (threw && end.pushFailure && isAbout(end.report.error, *end.pushFailure)) {
    throw *end.pushFailure;
  }
  const ExitCode code = reportEnd(end, command.limits);
  if (command.showStatistics && end.complaints.empty()) {
    writeToStandardError(statisticsOf(end));
  }
  return code;
}

}  // namespace schemascript
