// What people read on standard error about a script that did not end well.
#pragma once

#include <string>
#include <string_view>

#include "base/limits.h"
#include "cli/exit-code.h"
#include "cli/source-map.h"
#include "cli/text.h"
#include "runtime/run.h"
#include "serve/problem.h"

namespace schemascript {

// How the user of a command says what a report is about.
struct ReportWords {
  std::string_view timeOption;
  std::string_view fuelOption;
  std::string_view memoryOption;
  std::string_view onMissingTable;  // What to do about a table that is not in the database.
};
inline constexpr ReportWords kCommandWords{
    "--time-limit", "--fuel-limit", "--memory-limit",
    "the tables that a script declares are created with --push, or by: schemascript push"};
inline constexpr ReportWords kServeWords{
    "--limit runTimeMax=", "--limit fuelMax=", "--limit memoryBytesMax=",
    "the tables that an app declares are created with --push, or by: schemascript push"};
inline constexpr ReportWords kDevWords{
    "--limit runTimeMax=", "--limit fuelMax=", "--limit memoryBytesMax=",
    "the tables that the app declares with Table() are created on their own; this one it does not "
    "declare"};

// What there is to say about how `report` ended, which is not Answered, with an excerpt of the
// source. All of it is the guest's word, so it is made harmless for terminals. `limits`: those of
// the run.
Problem problemOf(const RunReport& report, const Limits& limits, SourceMap& map,
                  const ReportWords& words = kCommandWords);

// An error that nobody caught, much as Node shows it: name and message, the source line, the frames
// in TypeScript positions without ours, the chain of causes. Ends with a newline.
std::string renderError(const ErrorDescription& error, SourceMap& map, const Paint& paint);

// Everything about `report`, of any end; empty when there is nothing to say.
std::string renderReport(const RunReport& report, const Limits& limits, SourceMap& map,
                         const Paint& paint, const ReportWords& words = kCommandWords);

ExitCode exitCodeOf(RunReport::End end) noexcept;

}  // namespace schemascript
