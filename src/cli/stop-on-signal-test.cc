#include "cli/stop-on-signal.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "base/testing.h"

namespace schemascript {
namespace {

using namespace std::chrono_literals;

void await(const std::stop_token& token) {
  while (!token.stop_requested()) std::this_thread::sleep_for(1ms);
}

bool isBlocked(int signal) {
  sigset_t set;
  pthread_sigmask(SIG_SETMASK, nullptr, &set);
  return sigismember(&set, signal) == 1;
}

TEST(StopOnSignal, AsksForTheStop) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const StopOnSignal stop;
    EXPECT_FALSE(stop.token().stop_requested());
    ::kill(::getpid(), signal);
    await(stop.token());
  }
  EXPECT_FALSE(isBlocked(SIGINT));
}

TEST(StopOnSignal, LeavesTheSignalToWhoeverWaitsForIt) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  {
    const StopOnSignal stop;
    ::kill(::getpid(), SIGTERM);
    await(stop.token());
  }
  EXPECT_TRUE(isBlocked(SIGTERM));
  int signal = 0;
  sigwait(&set, &signal);
  EXPECT_EQ(signal, SIGTERM);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

TEST(StopOnSignalDeathTest, IsEndedByTheSecondOne) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(
      {
        const StopOnSignal stop;
        ::kill(::getpid(), SIGINT);
        await(stop.token());
        ::kill(::getpid(), SIGINT);  // Too soon to be meant.
        std::this_thread::sleep_for(600ms);
        for (;;) {
          ::kill(::getpid(), SIGINT);
          std::this_thread::sleep_for(1ms);
        }
      },
      testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace schemascript
