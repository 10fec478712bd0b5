// The child process, its options, and what it says.
#include "cli/esbuild.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <system_error>

#include "base/base64.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/text.h"

namespace schemascript {
namespace {

namespace json = boost::json;

// What the guest has built in. esbuild takes `drizzle-orm` for all of its subpaths too, but a
// pattern only for what it says; a `*` that stands for nothing makes a pattern of a name.
constexpr std::array kOptions{
    "--bundle",
    "--format=esm",
    "--platform=neutral",
    "--main-fields=module,main",
    "--target=es2023",
    "--external:schema*script",
    "--external:driz*zle-orm",
    "--external:drizzle-orm/sqlite*-core",
    "--external:drizzle-orm/sqlite*-proxy",
    "--sourcemap=inline",
    "--sources-content=false",
    "--log-level=error",
    "--log-limit=0",
    "--color=false",
    "--outfile=/dev/fd/1",
    "--metafile=/dev/fd/3",
};
// Where esbuild believes its output to be: sources of the map are relative to it.
constexpr std::string_view kOutputFolder = "/dev/fd";

// A file without a name, for what the child writes. Nothing has to be read while it runs, and
// nothing is left.
class Sink {
 public:
  Sink() : file_(::memfd_create("esbuild", MFD_CLOEXEC)) {
    if (!file_.isOpen()) throw unavailable(str("cannot run esbuild: ", reasonOf(errno)));
  }
  int get() const noexcept { return file_.get(); }

  std::string content() const {
    const off_t size = ::lseek(file_.get(), 0, SEEK_END);
    std::string text(static_cast<std::size_t>(std::max<off_t>(size, 0)), '\0');
    for (std::size_t filled = 0; filled < text.size();) {
      const ssize_t more = ::pread(file_.get(), text.data() + filled, text.size() - filled,
                                   static_cast<off_t>(filled));
      if (more < 0 && errno == EINTR) continue;
      if (more <= 0) throw unavailable(str("cannot read what esbuild wrote: ", reasonOf(errno)));
      filled += static_cast<std::size_t>(more);
    }
    return text;
  }

  static std::string reasonOf(int error) { return std::generic_category().message(error); }

 private:
  FileDescriptor file_;
};

// How the child is started: which files it sees, in which folder, with which signals.
class SpawnSettings {
 public:
  SpawnSettings() {
    check(::posix_spawn_file_actions_init(&actions_));
    check(::posix_spawnattr_init(&attributes_));
    // Signals that we ignore, it need not.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    check(::posix_spawnattr_setsigdefault(&attributes_, &signals));
    check(::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF));
  }
  ~SpawnSettings() {
    ::posix_spawnattr_destroy(&attributes_);
    ::posix_spawn_file_actions_destroy(&actions_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  void open(const char* path, int as) {
    check(::posix_spawn_file_actions_addopen(&actions_, as, path, O_RDONLY, 0));
  }
  void give(const Sink& sink, int as) {
    check(::posix_spawn_file_actions_adddup2(&actions_, sink.get(), as));
  }
  void enter(const std::filesystem::path& folder) {
    check(::posix_spawn_file_actions_addchdir_np(&actions_, folder.c_str()));
  }

  // The process; never with a shell, and with an empty environment, so that no variable changes the
  // result.
  pid_t spawn(const std::filesystem::path& executable,
              const std::vector<std::string>& words) const {
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    char* environment[] = {nullptr};
    pid_t process = 0;
    const int error = ::posix_spawn(&process, executable.c_str(), &actions_, &attributes_,
                                    arguments.data(), environment);
    if (error != 0) {
      throw unavailable(str("cannot run ", executable.string(), ": ", Sink::reasonOf(error)));
    }
    return process;
  }

 private:
  static void check(int error) { SS_CHECK(error == 0, "posix_spawn: ", Sink::reasonOf(error)); }

  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

// The exit status; 128 + the signal when one ended it.
int waitFor(pid_t process) {
  int status = 0;
  while (::waitpid(process, &status, 0) < 0) {
    if (errno != EINTR) throw unavailable(str("lost esbuild: ", Sink::reasonOf(errno)));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string absolute(const std::filesystem::path& folder, std::string_view path) {
  return (folder / path).lexically_normal().string();
}

// Takes the map off the end of `code`, where it stands as a comment.
SourceMapText takeInlineMap(std::string& code) {
  constexpr std::string_view kBegin = "//# sourceMappingURL=data:application/json;base64,";
  const std::size_t begin = code.rfind(kBegin);
  if (begin == std::string::npos) throw unavailable("esbuild wrote no source map");
  std::string_view encoded = std::string_view(code).substr(begin + kBegin.size());
  while (encoded.ends_with('\n')) encoded.remove_suffix(1);
  const auto size = base64DecodedSize(encoded);
  std::string text(size.value_or(0), '\0');
  if (!size || !decodeBase64(encoded, text)) throw unavailable("esbuild's source map is damaged");
  code.resize(begin);
  const json::value map = json::parse(text);
  SourceMapText result;
  for (const auto& source : map.at("sources").as_array()) {
    result.sources.push_back(absolute(kOutputFolder, std::string_view(source.as_string())));
  }
  result.mappings = std::string_view(map.at("mappings").as_string());
  return result;
}

void readMetafile(const std::string& text, const std::filesystem::path& folder,
                  EsbuildOutput& output) {
  const json::value meta = json::parse(text);
  for (const auto& [name, input] : meta.at("inputs").as_object()) {
    // Others are esbuild's own, such as `(disabled):fs`.
    const std::string file = absolute(folder, name);
    if (name.starts_with('(') || name.starts_with('<')) continue;
    output.inputs.push_back(file);
    for (const auto& import : input.at("imports").as_array()) {
      const auto* const original = import.as_object().if_contains("original");
      if (original == nullptr) continue;
      output.imports.push_back({file, std::string(std::string_view(original->as_string()))});
    }
  }
}

// What esbuild says of one error: `text`, and where if it is about a place.
struct Complaint {
  std::string_view text;
  std::string_view file;  // Empty: nowhere.
  std::uint32_t line = 0;
  std::size_t bytesBefore = 0;  // In that line.
};

// `    file:line:column:`, with a column in bytes from 0.
bool readPlace(std::string_view line, Complaint& complaint) {
  constexpr std::string_view kIndent = "    ";
  if (!line.starts_with(kIndent) || !line.ends_with(':')) return false;
  line = line.substr(kIndent.size(), line.size() - kIndent.size() - 1);
  const std::size_t second = line.rfind(':');
  if (second == std::string_view::npos || second == 0) return false;
  const std::size_t first = line.rfind(':', second - 1);
  if (first == std::string_view::npos) return false;
  const auto number = [](std::string_view digits, auto& value) {
    const char* const end = digits.data() + digits.size();
    return std::from_chars(digits.data(), end, value).ptr == end && !digits.empty();
  };
  complaint.file = line.substr(0, first);
  return number(line.substr(first + 1, second - first - 1), complaint.line) &&
         number(line.substr(second + 1), complaint.bytesBefore);
}

std::vector<Complaint> readComplaints(std::string_view text) {
  constexpr std::string_view kMark = "[ERROR] ";
  std::vector<Complaint> complaints;
  bool placeMayFollow = false;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::size_t mark = line.find(kMark);
    // Behind a cross of three bytes and a blank.
    if (mark != std::string_view::npos && mark <= 4) {
      complaints.push_back({line.substr(mark + kMark.size()), {}, 0, 0});
      placeMayFollow = true;
    } else if (placeMayFollow && !line.empty()) {
      Complaint& last = complaints.back();
      if (!readPlace(line, last)) last.file = {};
      placeMayFollow = false;
    }
  }
  return complaints;
}

// Alphabetical. The modules of Node that people try first; the others do not need a reason.
constexpr std::array<std::string_view, 30> kNodeModules{"assert",
                                                        "async_hooks",
                                                        "buffer",
                                                        "child_process",
                                                        "cluster",
                                                        "console",
                                                        "crypto",
                                                        "dns",
                                                        "events",
                                                        "fs",
                                                        "http",
                                                        "http2",
                                                        "https",
                                                        "module",
                                                        "net",
                                                        "os",
                                                        "path",
                                                        "perf_hooks",
                                                        "process",
                                                        "querystring",
                                                        "readline",
                                                        "stream",
                                                        "string_decoder",
                                                        "timers",
                                                        "tls",
                                                        "url",
                                                        "util",
                                                        "vm",
                                                        "worker_threads",
                                                        "zlib"};

bool isNodeModule(std::string_view specifier) {
  if (specifier.starts_with("node:")) return true;
  const std::string_view name = specifier.substr(0, specifier.find('/'));
  return std::binary_search(kNodeModules.begin(), kNodeModules.end(), name);
}

// For an import that was not found.
std::string adviceFor(std::string_view specifier) {
  if (isNodeModule(specifier)) {
    return "It is a module of Node.js. A script runs in a sandbox that has no files, no network "
           "and "
           "no processes;\nall it can reach is its database.";
  }
  if (specifier.starts_with("drizzle-orm/") || specifier == "drizzle-orm") {
    return "Built in are drizzle-orm, drizzle-orm/sqlite-core and drizzle-orm/sqlite-proxy; "
           "anything "
           "else of it has to be\ninstalled beside the script: npm install drizzle-orm";
  }
  if (specifier.starts_with("schemascript/")) return "The package has one entrance: schemascript";
  if (specifier.starts_with('.') || specifier.starts_with('/')) return "There is no such file.";
  return str(
      "The package is not installed where this file could find it. If it is one: npm install ",
      specifier);
}

// The specifier, if that is what the message is about.
std::string_view unresolvedIn(std::string_view text) {
  constexpr std::string_view kBegin = "Could not resolve \"";
  if (!text.starts_with(kBegin)) return {};
  text.remove_prefix(kBegin.size());
  return text.substr(0, text.rfind('"'));
}

// esbuild counts bytes from 0, people and editors UTF-16 units from 1.
std::uint32_t columnOf(const Complaint& complaint, const std::string& file) {
  std::string content;
  try {
    content = readFile(file);
  } catch (const Error&) {
    return static_cast<std::uint32_t>(complaint.bytesBefore) + 1;
  }
  return utf16Units(lineOf(content, complaint.line), complaint.bytesBefore) + 1;
}

constexpr std::uint32_t kLinesAround = 3;

Problem problemOf(const Complaint& complaint, const std::filesystem::path& folder) {
  Problem problem{.headline = printable(complaint.text)};
  if (const auto specifier = unresolvedIn(complaint.text); !specifier.empty()) {
    problem.headline = str("cannot find the import \"", printable(specifier), '"');
    problem.advice = printable(adviceFor(specifier));
  }
  if (complaint.file.empty()) return problem;
  const std::string file = absolute(folder, complaint.file);
  const std::uint32_t column = columnOf(complaint, file);
  Excerpt excerpt = readExcerpt(file, complaint.line, column, kLinesAround);
  problem.place = SourcePlace{.file = printable(displayPath(file)),
                              .line = complaint.line,
                              .column = column,
                              .firstLine = excerpt.firstLine,
                              .lines = std::move(excerpt.lines),
                              .caretBytes = excerpt.caretBytes};
  return problem;
}

std::vector<Problem> problemsOf(std::string_view text, const std::vector<Complaint>& complaints,
                                const std::filesystem::path& folder) {
  // Not in a form that we know, so as it is.
  if (complaints.empty()) {
    while (text.ends_with('\n')) text.remove_suffix(1);
    return {{.headline = "esbuild failed", .advice = printable(text)}};
  }
  std::vector<Problem> problems;
  for (const Complaint& complaint : complaints) problems.push_back(problemOf(complaint, folder));
  return problems;
}

// One error, ending with a newline.
std::string render(const Problem& problem, const Paint& paint) {
  std::string text;
  if (problem.place) {
    text = str(problem.place->file, ':', problem.place->line, ':', problem.place->column, ": ");
  }
  text += problem.headline + '\n';
  if (problem.place && !problem.place->lines.empty()) {
    text += renderLine(problem.place->line,
                       problem.place->lines[problem.place->line - problem.place->firstLine],
                       problem.place->caretBytes, paint);
  }
  return problem.advice.empty() ? text : str(text, problem.advice, '\n');
}

// More would only push the first, which counts, off the screen.
constexpr std::size_t kComplaintsMax = 10;

}  // namespace

EsbuildResult readEsbuildErrors(std::string_view text, const std::filesystem::path& folder) {
  const std::vector<Complaint> complaints = readComplaints(text);
  EsbuildResult result;
  for (const Complaint& complaint : complaints) {
    if (!complaint.file.empty()) result.files.push_back(absolute(folder, complaint.file));
  }
  result.problems = problemsOf(text, complaints, folder);
  const Paint paint(coloursFor(STDERR_FILENO));
  for (std::size_t i = 0; i < std::min(result.problems.size(), kComplaintsMax); ++i) {
    result.complaints += render(result.problems[i], paint);
  }
  if (result.problems.size() > kComplaintsMax) {
    result.complaints += str("and ", result.problems.size() - kComplaintsMax, " more errors\n");
  }
  return result;
}

std::string esbuildOptions() {
  std::string options;
  for (const char* const option : kOptions) (options += option) += '\n';
  return options;
}

EsbuildResult runEsbuild(const std::filesystem::path& executable,
                         const std::filesystem::path& entry) {
  const std::string name = entry.filename().string();
  if (name.find_first_of("*=") != std::string::npos) {
    throw invalidRequest(
        str("cannot bundle ", entry.string(), ": esbuild takes no * or = in the name of a file"));
  }
  const std::filesystem::path folder = entry.parent_path();
  const Sink code, metafile, errors;
  SpawnSettings settings;
  settings.open("/dev/null", STDIN_FILENO);
  settings.give(code, STDOUT_FILENO);
  settings.give(errors, STDERR_FILENO);
  settings.give(metafile, 3);
  settings.enter(folder);
  std::vector<std::string> words{executable.string(), "./" + name};
  words.insert(words.end(), kOptions.begin(), kOptions.end());

  const int status = waitFor(settings.spawn(executable, words));
  EsbuildResult result;
  if (status != 0) {
    if (status > 128) throw unavailable(str("esbuild was ended by signal ", status - 128));
    return readEsbuildErrors(errors.content(), folder);
  }
  try {
    result.output.code = code.content();
    result.output.map = takeInlineMap(result.output.code);
    readMetafile(metafile.content(), folder, result.output);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {  // What Boost.JSON throws has no common type of its own.
    throw unavailable(str("cannot understand what esbuild wrote: ", error.what()));
  }
  return result;
}

}  // namespace schemascript
