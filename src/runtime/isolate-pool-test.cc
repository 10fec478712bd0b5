// Isolates are found again, put back ahead of need, and given up when they should.
#include <gtest/gtest.h>
