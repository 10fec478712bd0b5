// What people read on standard error about a script that did not end well.
#pragma once

#include <string>

#include "base/limits.h"
#include "cli/exit-code.h"
#include "cli/source-map.h"
#include "cli/text.h"
#include "runtime/run.h"

namespace schemascript {

// An error that nobody caught, much as Node shows it: name and message, the source line, the frames
// in TypeScript positions without ours, the chain of causes. All of it is the guest's word, so it
// is made harmless for terminals. Ends with a newline.
std::string renderError(const ErrorDescription& error, SourceMap& map, const Paint& paint);

// How whoever reads it sets a limit.
enum class LimitOptions : std::uint8_t {
  OfScripts,  // `--time-limit`
  OfServers,  // `--limit runTimeMax=`
};

// Everything about `report`, of any end; empty when there is nothing to say. `limits`: those of the
// run.
std::string renderReport(const RunReport& report, const Limits& limits, SourceMap& map,
                         const Paint& paint, LimitOptions options = LimitOptions::OfScripts);

ExitCode exitCodeOf(RunReport::End end) noexcept;

}  // namespace schemascript
