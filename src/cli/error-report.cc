// Reads the guest's stacks, and writes ours.
#include "cli/error-report.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "base/units.h"

namespace schemascript {
namespace {

// One line of a stack.
struct Frame {
  enum class Place : std::uint8_t { App, BuiltIn, Native };
  std::string_view line;      // From "at" on.
  std::string_view function;  // Empty without a name.
  Place place;
  std::uint32_t bundleLine = 0;  // In the app.
  std::uint32_t bundleColumn = 0;
};

// `schemascript:app:LINE:COLUMN`
bool readAppPosition(std::string_view text, Frame& frame) {
  if (!text.starts_with(kBundleName)) return false;
  text.remove_prefix(kBundleName.size());
  const auto number = [&text](std::uint32_t& value) {
    if (!text.starts_with(':')) return false;
    const auto [rest, failure] = std::from_chars(text.data() + 1, text.data() + text.size(), value);
    if (failure != std::errc{}) return false;
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
    return true;
  };
  return number(frame.bundleLine) && number(frame.bundleColumn) && text.empty();
}

// `at name (place)`, `at place`; nothing for other lines, such as a message that the guest put into
// the stack.
std::optional<Frame> tryReadFrame(std::string_view line) {
  constexpr std::string_view kAt = "at ";
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  if (!line.starts_with(kAt)) return std::nullopt;
  Frame frame{line, line.substr(kAt.size()), Frame::Place::BuiltIn, 0, 0};
  std::string_view place = frame.function;
  if (const std::size_t open = line.rfind(" (");
      open != std::string_view::npos && line.ends_with(')')) {
    place = line.substr(open + 2, line.size() - open - 3);
    frame.function = open < kAt.size() ? "" : line.substr(kAt.size(), open - kAt.size());
  } else {
    frame.function = {};
  }
  if (frame.function == "<anonymous>") frame.function = {};
  if (place == "native") frame.place = Frame::Place::Native;
  if (readAppPosition(place, frame)) frame.place = Frame::Place::App;
  return frame;
}

// Without the frames that are ours, if there are others: those show where the user's code went
// wrong. A native function
// (`map`, `sort`) stays when the app called it.
std::vector<Frame> readFrames(std::string_view stack) {
  std::vector<Frame> frames;
  while (!stack.empty()) {
    const std::size_t end = stack.find('\n');
    if (const auto frame = tryReadFrame(stack.substr(0, end))) frames.push_back(*frame);
    stack.remove_prefix(end == std::string_view::npos ? stack.size() : end + 1);
  }
  const auto isApp = [](const Frame& frame) { return frame.place == Frame::Place::App; };
  if (std::none_of(frames.begin(), frames.end(), isApp)) return frames;
  std::vector<Frame> kept;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const bool calledByApp = i + 1 < frames.size() && isApp(frames[i + 1]);
    const bool native = frames[i].place == Frame::Place::Native;
    if (isApp(frames[i]) || (native && calledByApp)) kept.push_back(frames[i]);
  }
  return kept;
}

std::optional<SourcePosition> firstPosition(const std::vector<Frame>& frames, SourceMap& map) {
  for (const Frame& frame : frames) {
    if (frame.place != Frame::Place::App) continue;
    if (const auto position = map.tryFind(frame.bundleLine, frame.bundleColumn)) return position;
  }
  return std::nullopt;
}

// `TypeError [code]: message`
std::string headline(const ErrorDescription& error) {
  // What was thrown is no error; the guest says so itself.
  constexpr std::string_view kUncaught = "Uncaught ";
  if (error.name.empty()) {
    const std::string_view message = error.message;
    return std::string(message.starts_with(kUncaught) ? message.substr(kUncaught.size()) : message);
  }
  std::string line = error.name;
  if (!error.code.empty()) line += str(" [", error.code, ']');
  if (!error.message.empty()) line += str(": ", error.message);
  return line;
}

std::string indented(std::string_view text, std::size_t columns) {
  if (columns == 0) return std::string(text);
  std::string result;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    if (text.front() != '\n') result.append(columns, ' ');
    result += text.substr(0, end);
    text.remove_prefix(end);
  }
  return result;
}

// Of a recursion, more would only push the message off the screen.
constexpr std::size_t kFramesMax = 20;

std::string renderFrames(const std::vector<Frame>& frames, SourceMap& map, const Paint& paint) {
  std::string lines;
  const auto add = [&lines, &paint](const std::string& line) {
    lines += str(paint.quiet("    " + printable(line)), '\n');
  };
  for (std::size_t i = 0; i < std::min(frames.size(), kFramesMax); ++i) {
    add(map.mapPositions(frames[i].line));
  }
  if (frames.size() > kFramesMax) add(str("... and ", frames.size() - kFramesMax, " more"));
  return lines;
}

// Everything below the headline.
std::string renderBody(const ErrorDescription& error, SourceMap& map, const Paint& paint) {
  std::string text = renderFrames(readFrames(error.stack), map, paint);
  for (std::size_t i = 0; i < error.errors.size(); ++i) {
    const ErrorDescription& one = error.errors[i];
    text += indented(str('[', i, "] ", printable(map.mapPositions(headline(one))), '\n',
                         renderBody(one, map, paint)),
                     2);
  }
  for (const ErrorDescription& cause : error.causes) {
    text += str("caused by: ", printable(map.mapPositions(headline(cause))), '\n',
                renderBody(cause, map, paint));
  }
  return text;
}

// The line that `error`, or else what caused it, was thrown at; empty when that is not in the app.
std::string renderPlace(const ErrorDescription& error, SourceMap& map, const Paint& paint) {
  if (const auto position = firstPosition(readFrames(error.stack), map)) {
    return excerpt(std::string(position->file), position->line, position->column, paint);
  }
  return error.causes.empty() ? std::string() : renderPlace(error.causes.front(), map, paint);
}

// ` at loop (app.ts:3:5)`, or nothing.
std::string whereOf(const ErrorDescription& error, SourceMap& map) {
  for (const Frame& frame : readFrames(error.stack)) {
    if (frame.place != Frame::Place::App) continue;
    const auto position = map.tryFind(frame.bundleLine, frame.bundleColumn);
    if (!position) continue;
    const std::string place =
        str(displayPath(position->file), ':', position->line, ':', position->column);
    return printable(frame.function.empty() ? str(" at ", place)
                                            : str(" at ", frame.function, " (", place, ')'));
  }
  return {};
}

std::string renderLimit(std::string_view what, std::string_view option, const RunReport& report,
                        SourceMap& map, const Paint& paint) {
  std::string text = str(paint.error("schemascript:"), " the ", what, " was exceeded (", option,
                         ')', whereOf(report.error, map));
  // Of a run that ended while it waited, or of a trap: in our words, not the engine's.
  if (report.error.stack.empty() && !report.error.message.empty()) {
    text += str(": ", printable(report.error.message));
  }
  return str(text, '\n', renderPlace(report.error, map, paint),
             renderFrames(readFrames(report.error.stack), map, paint));
}

// What to do about an error that most people meet first.
std::string adviceOn(const ErrorDescription& error) {
  if (error.code != "invalid-request" || !error.message.starts_with("no such table: ")) return {};
  return "the tables that a script declares are created with --push, or by: schemascript push\n";
}

std::string renderEnd(const RunReport& report, const Limits& limits, SourceMap& map,
                      const Paint& paint, LimitOptions options) {
  const std::string program = paint.error("schemascript:");
  const auto option = [options](std::string_view ofScripts, std::string_view ofServers) {
    return options == LimitOptions::OfScripts ? ofScripts : ofServers;
  };
  switch (report.end) {
    case RunReport::End::Answered:
      return {};
    case RunReport::End::Threw:
    case RunReport::End::NoSuchExport:  // Only a call ends so, and its command says it.
    case RunReport::End::BadArgument:
      return renderError(report.error, map, paint) + adviceOn(report.error);
    case RunReport::End::TimeExceeded:
      return renderLimit(str("time limit of ", formatDuration(limits.runTimeMax)),
                         option("--time-limit", "--limit runTimeMax="), report, map, paint);
    case RunReport::End::FuelExceeded:
      return renderLimit(str("fuel limit of ", limits.fuelMax, " jumps and calls"),
                         option("--fuel-limit", "--limit fuelMax="), report, map, paint);
    case RunReport::End::MemoryExceeded:
      return renderLimit(str("memory limit of ", formatSize(limits.memoryBytesMax)),
                         option("--memory-limit", "--limit memoryBytesMax="), report, map, paint);
    case RunReport::End::NeverSettles:
      return str(
          program,
          " the script waits for a promise that never settles: no timer is set, and no code is "
          "left to run\n",
          report.error.message.empty() ? "" : printable(report.error.message) + '\n');
    case RunReport::End::Trapped:
    case RunReport::End::Cancelled:  // Nobody asks for it here.
      break;
  }
  return str(program,
             " the sandbox stopped the script: ", printable(map.mapPositions(report.error.message)),
             '\n');
}

}  // namespace

std::string renderError(const ErrorDescription& error, SourceMap& map, const Paint& paint) {
  return str(paint.error("Uncaught"), ' ', printable(map.mapPositions(headline(error))), '\n',
             renderPlace(error, map, paint), renderBody(error, map, paint));
}

std::string renderReport(const RunReport& report, const Limits& limits, SourceMap& map,
                         const Paint& paint, LimitOptions options) {
  std::string text = renderEnd(report, limits, map, paint, options);
  if (report.rolledBack == 1) {
    text += "schemascript: a transaction that the script left open was rolled back\n";
  } else if (report.rolledBack > 1) {
    text += str("schemascript: ", report.rolledBack,
                " transactions that the script left open were rolled back\n");
  }
  return text;
}

ExitCode exitCodeOf(RunReport::End end) noexcept {
  switch (end) {
    case RunReport::End::Answered:
      return ExitCode::Success;
    case RunReport::End::Threw:
    case RunReport::End::NoSuchExport:
    case RunReport::End::BadArgument:
      return ExitCode::Threw;
    case RunReport::End::TimeExceeded:
    case RunReport::End::FuelExceeded:
    case RunReport::End::MemoryExceeded:
      return ExitCode::Limit;
    case RunReport::End::NeverSettles:
      return ExitCode::NeverSettles;
    case RunReport::End::Trapped:
    case RunReport::End::Cancelled:
      break;
  }
  return ExitCode::Internal;
}

}  // namespace schemascript
