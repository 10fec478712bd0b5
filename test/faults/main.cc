// SQLite must be given its allocator and its files before anything uses it.
#include <gtest/gtest.h>

#include "fault-files.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  schemascript::faults::installAllocator();
  schemascript::faults::installFiles();
  return RUN_ALL_TESTS();
}
