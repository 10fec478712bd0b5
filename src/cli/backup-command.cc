// `schemascript backup` and `schemascript restore`
#include <unistd.h>

#include <csignal>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/progress-line.h"
#include "cli/text.h"

namespace schemascript {
namespace {

volatile std::sig_atomic_t interruptedBy = 0;

// While it lives, SIGINT and SIGTERM end the copying in order: half a copy is removed, where the
// signal's own effect would leave it on the disk.
class Interruptible {
 public:
  Interruptible() noexcept {
    struct sigaction action{};
    action.sa_handler = [](int signal) { interruptedBy = signal; };
    action.sa_flags = SA_RESETHAND | SA_RESTART;  // The second one is obeyed at once.
    ::sigaction(SIGINT, &action, &interrupt_);
    ::sigaction(SIGTERM, &action, &terminate_);
  }
  ~Interruptible() {
    ::sigaction(SIGINT, &interrupt_, nullptr);
    ::sigaction(SIGTERM, &terminate_, nullptr);
  }
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;

 private:
  struct sigaction interrupt_{};
  struct sigaction terminate_{};
};

// Calls `copy` with what shows how far it is.
template <typename Copy>
BackupResult copyWatched(Copy&& copy) {
  const Interruptible interruptible;
  ProgressLine line(STDERR_FILENO);
  return copy([&line](std::uint64_t done, std::uint64_t pages) {
    if (interruptedBy != 0) throw unavailable("interrupted; nothing was changed");
    line.showShare("copying", done, pages);
  });
}

std::string sentence(std::string_view did, const std::filesystem::path& first,
                     std::string_view between, const std::filesystem::path& second,
                     const BackupResult& result) {
  return str(did, ' ', printable(first.string()), ' ', between, ' ', printable(second.string()),
             ", ", formatRoughSize(result.bytes), '\n');
}

}  // namespace

ExitCode backupCommand(const BackupCommand& command, Output& output) {
  const BackupResult result = copyWatched([&command](const BackupProgress& progress) {
    return backUp(command.database, command.to, command.replace, progress);
  });
  output.write(sentence("copied", command.database, "to", command.to, result));
  return ExitCode::Success;
}

ExitCode restoreCommand(const RestoreCommand& command, Output& output) {
  const BackupResult result = copyWatched([&command](const BackupProgress& progress) {
    return restore(command.backup, command.database, command.replace, progress);
  });
  output.write(sentence("restored", command.database, "from", command.backup, result));
  return ExitCode::Success;
}

}  // namespace schemascript
