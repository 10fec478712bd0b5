#include "cli/stop-on-signal.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "base/error.h"

namespace schemascript {
namespace {

constexpr std::array<int, 2> kSignals{SIGINT, SIGTERM};
constexpr int kTogether = 500;  // Milliseconds.
constexpr int kForEver = -1;

}  // namespace

StopOnSignal::StopOnSignal() {
  sigemptyset(&signals_);
  for (const int signal : kSignals) sigaddset(&signals_, signal);
  arrived_ = FileDescriptor(::signalfd(-1, &signals_, SFD_CLOEXEC | SFD_NONBLOCK));
  ended_ = FileDescriptor(::eventfd(0, EFD_CLOEXEC));
  if (!arrived_.isOpen() || !ended_.isOpen()) {
    throw unavailable(str("cannot wait for signals: ", std::generic_category().message(errno)));
  }
  pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  thread_ = std::thread([this] { wait(); });
}

bool StopOnSignal::hasEnded(int millisecondsMax) const noexcept {
  pollfd ended{.fd = ended_.get(), .events = POLLIN, .revents = 0};
  return ::poll(&ended, 1, millisecondsMax) > 0;
}

void StopOnSignal::wait() {
  std::array<pollfd, 2> files{{{.fd = arrived_.get(), .events = POLLIN, .revents = 0},
                               {.fd = ended_.get(), .events = POLLIN, .revents = 0}}};
  while (::poll(files.data(), files.size(), -1) < 0) {  // Interrupted.
  }
  if (files[0].revents == 0) return;
  signalfd_siginfo signal{};
  if (::read(arrived_.get(), &signal, sizeof signal) != sizeof signal) return;
  signal_ = static_cast<int>(signal.ssi_signo);
  source_.request_stop();
  if (hasEnded(kTogether)) return;
  // What came with the first one; from now on they have their usual effect.
  while (::read(arrived_.get(), &signal, sizeof signal) == sizeof signal) {
  }
  pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
  hasEnded(kForEver);
}

StopOnSignal::~StopOnSignal() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(ended_.get(), &one, sizeof one);
  thread_.join();
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  if (signal_ != 0 && sigismember(&before_, signal_) == 1) ::kill(::getpid(), signal_);
}

}  // namespace schemascript
