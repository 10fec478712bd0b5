// One hostile guest of the folder `guests`: a module, and what its first comment says of it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/limits.h"
#include "runtime/app.h"

namespace schemascript {

// One of the ends that a guest may come to.
struct ExpectedEnd {
  bool isLoading = false;  // While its module is evaluated; else when `attack` is called.
  CallEnd end = CallEnd::Answered;
  std::string name;  // Of the error; empty: any.
  // Stands somewhere in the message; of an answer, is all of it. Empty: anything.
  std::string text;
};

// What another limit than time ends, or nothing, has time for it on a machine that has much else to
// do.
inline constexpr std::chrono::milliseconds kRunTimeMaxOtherwise{30'000};

// The lines of the comment, all but `Attack` and `Ends` may be missing:
//   // Attack: what it tries.
//   // Limits: runTimeMax=300 heapBytesMax=20000000     of the app; runTimeMax where time may
//   end it
//   // May: reads=notes,users.name writes=notes         its capabilities
//   // May: read                                        only read
//   // Database: file                                   instead of memory
//   // Ends: call threw RangeError: invalid array length
//   // Ends: load time                                  another one would do as well
// An end is answered, threw, time, memory, pending or trapped.
struct GuestFile {
  std::string attack;
  Limits limits;
  std::vector<std::string> reads;
  std::vector<std::string> writes;
  bool isRestricted = false;
  bool readOnly = false;
  bool inFile = false;
  std::vector<ExpectedEnd> ends;
  std::string source;
};

// Throws InvalidRequest naming the line that is not as above.
GuestFile readGuestFile(const std::filesystem::path& path);

// The word that the comment uses.
std::string_view wordOf(CallEnd end);

}  // namespace schemascript
