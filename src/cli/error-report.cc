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

constexpr std::uint32_t kLinesAround = 3;

SourcePlace placeAt(const SourcePosition& position) {
  Excerpt excerpt =
      readExcerpt(std::string(position.file), position.line, position.column, kLinesAround);
  return {.file = printable(displayPath(position.file)),
          .line = position.line,
          .column = position.column,
          .firstLine = excerpt.firstLine,
          .lines = std::move(excerpt.lines),
          .caretBytes = excerpt.caretBytes};
}

std::optional<SourcePlace> tryFindPlace(const std::vector<Frame>& frames, SourceMap& map) {
  for (const Frame& frame : frames) {
    if (frame.place != Frame::Place::App) continue;
    if (const auto position = map.tryFind(frame.bundleLine, frame.bundleColumn)) {
      return placeAt(*position);
    }
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

std::vector<std::string> describeFrames(const std::vector<Frame>& frames, SourceMap& map) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < std::min(frames.size(), kFramesMax); ++i) {
    lines.push_back(printable(map.mapPositions(frames[i].line)));
  }
  if (frames.size() > kFramesMax) {
    lines.push_back(str("... and ", frames.size() - kFramesMax, " more"));
  }
  return lines;
}

Problem describe(const ErrorDescription& error, SourceMap& map) {
  const std::vector<Frame> frames = readFrames(error.stack);
  Problem problem{.headline = printable(map.mapPositions(headline(error))),
                  .place = tryFindPlace(frames, map),
                  .frames = describeFrames(frames, map)};
  for (const ErrorDescription& one : error.errors) problem.errors.push_back(describe(one, map));
  for (const ErrorDescription& cause : error.causes) {
    problem.causes.push_back(describe(cause, map));
  }
  return problem;
}

// Where `error` was thrown, or else what caused it; null when that is not in the app.
const SourcePlace* placeOf(const Problem& problem) noexcept {
  if (problem.place) return &*problem.place;
  return problem.causes.empty() ? nullptr : placeOf(problem.causes.front());
}

std::string renderPlace(const Problem& problem, const Paint& paint) {
  const SourcePlace* const place = placeOf(problem);
  if (place == nullptr || place->lines.empty()) return {};
  return renderLine(place->line, place->lines[place->line - place->firstLine], place->caretBytes,
                    paint);
}

// Everything below the headline and the place.
std::string renderBody(const Problem& problem, const Paint& paint) {
  std::string text;
  for (const std::string& frame : problem.frames) text += str(paint.quiet("    " + frame), '\n');
  for (std::size_t i = 0; i < problem.errors.size(); ++i) {
    const Problem& one = problem.errors[i];
    text += indented(str('[', i, "] ", one.headline, '\n', renderBody(one, paint)), 2);
  }
  for (const Problem& cause : problem.causes) {
    text += str("caused by: ", cause.headline, '\n', renderBody(cause, paint));
  }
  return problem.advice.empty() ? text : str(text, problem.advice, '\n');
}

std::string render(std::string_view lead, const Problem& problem, const Paint& paint) {
  return str(paint.error(lead), ' ', problem.headline, '\n', renderPlace(problem, paint),
             renderBody(problem, paint));
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

Problem describeLimit(std::string_view what, std::string_view option, const RunReport& report,
                      SourceMap& map) {
  const std::vector<Frame> frames = readFrames(report.error.stack);
  Problem problem{
      .headline = str("the ", what, " was exceeded (", option, ')', whereOf(report.error, map)),
      .place = tryFindPlace(frames, map),
      .frames = describeFrames(frames, map)};
  // Of a run that ended while it waited, or of a trap: in our words, not the engine's.
  if (report.error.stack.empty() && !report.error.message.empty()) {
    problem.headline += str(": ", printable(report.error.message));
  }
  return problem;
}

bool isThrown(RunReport::End end) noexcept {
  // Only a call ends in the last two ways, and its command says it.
  return end == RunReport::End::Threw || end == RunReport::End::NoSuchExport ||
         end == RunReport::End::BadArgument;
}

bool isAboutMissingTable(const ErrorDescription& error) noexcept {
  return error.code == "invalid-request" && error.message.starts_with("no such table: ");
}

}  // namespace

Problem problemOf(const RunReport& report, const Limits& limits, SourceMap& map,
                  const ReportWords& words) {
  if (isThrown(report.end)) {
    Problem problem = describe(report.error, map);
    // What most people meet first.
    if (isAboutMissingTable(report.error)) problem.advice = words.onMissingTable;
    return problem;
  }
  switch (report.end) {
    case RunReport::End::TimeExceeded:
      return describeLimit(str("time limit of ", formatDuration(limits.runTimeMax)),
                           words.timeOption, report, map);
    case RunReport::End::FuelExceeded:
      return describeLimit(str("fuel limit of ", limits.fuelMax, " jumps and calls"),
                           words.fuelOption, report, map);
    case RunReport::End::MemoryExceeded:
      return describeLimit(str("memory limit of ", formatSize(limits.memoryBytesMax)),
                           words.memoryOption, report, map);
    case RunReport::End::NeverSettles:
      return {.headline =
                  "the script waits for a promise that never settles: no timer is set, and no code "
                  "is left to run",
              .advice = printable(report.error.message)};
    default:  // It trapped. Nobody asks for Cancelled here.
      return {.headline = str("the sandbox stopped the script: ",
                              printable(map.mapPositions(report.error.message)))};
  }
}

std::string renderError(const ErrorDescription& error, SourceMap& map, const Paint& paint) {
  return render("Uncaught", describe(error, map), paint);
}

std::string renderReport(const RunReport& report, const Limits& limits, SourceMap& map,
                         const Paint& paint, const ReportWords& words) {
  std::string text;
  if (report.end != RunReport::End::Answered) {
    text = render(isThrown(report.end) ? "Uncaught" : "schemascript:",
                  problemOf(report, limits, map, words), paint);
  }
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
