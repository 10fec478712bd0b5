// Worker threads: each job is answered once, in an order that is fair, whatever becomes of it.
#include "runtime/workers.h"

#include <gtest/gtest.h>

#include <future>

namespace schemascript {
namespace {

using namespace std::chrono_literals;

class Working : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    engine_ = std::make_unique<Engine>(EngineFiles::in(SCHEMASCRIPT_GUEST_FOLDER));
    watchdog_ = std::make_unique<Watchdog>();
  }
  static void TearDownTestSuite() {
    watchdog_.reset();
    engine_.reset();
  }

  std::shared_ptr<const App> load(std::string_view bundle) {
    App::Loaded loaded = App::load(*engine_, *watchdog_, bundle, {});
    EXPECT_TRUE(loaded.app) << loaded.error.message;
    return loaded.app;
  }

  static inline std::unique_ptr<Engine> engine_;
  static inline std::unique_ptr<Watchdog> watchdog_;
  std::shared_ptr<ConnectionPool> database_ = std::make_shared<ConnectionPool>(DatabaseOptions{});
};

TEST_F(Working, AnswersEachJobOnce) {
  const auto app = load("export const double = (x) => 2 * x;");
  Workers workers(*watchdog_, {.threads = 2, .resetCheck = ResetCheck::Yes});
  std::mutex mutex;
  std::vector<std::string> answers(100);
  for (int number = 0; number < 100; ++number) {
    ASSERT_TRUE(workers.tryPost({.app = app,
                                 .database = database_,
                                 .name = "double",
                                 .argument = std::to_string(number),
                                 .done = [&, number](JobReport report) {
                                   const std::lock_guard lock(mutex);
                                   answers[number] += report.call.result;
                                 }}));
  }
  workers.drain();
  for (int number = 0; number < 100; ++number) {
    EXPECT_EQ(answers[number], std::to_string(2 * number));
  }
  EXPECT_EQ(workers.counters().served, 100u);
}

}  // namespace
}  // namespace schemascript
