// What the tests of everything that runs guests have in common: an engine and a watchdog.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "sandbox/engine.h"
#include "sandbox/watchdog.h"

namespace schemascript {

// A fixture whose tests share both. Its program names the guest's folder:
// SCHEMASCRIPT_GUEST_FOLDER.
template <typename Base = testing::Test>
class WithEngine : public Base {
 protected:
  static void SetUpTestSuite() {
    engine_ = std::make_unique<Engine>(EngineFiles::in(SCHEMASCRIPT_GUEST_FOLDER));
    watchdog_ = std::make_unique<Watchdog>();
  }
  static void TearDownTestSuite() {
    watchdog_.reset();
    engine_.reset();
  }

  static inline std::unique_ptr<Engine> engine_;
  static inline std::unique_ptr<Watchdog> watchdog_;
};

}  // namespace schemascript
