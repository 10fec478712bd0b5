// The fingerprint under which caches keep what they made from inputs. Not for secrets.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace schemascript {

// 128-bit XXH3 over any number of parts. Where a part ends counts: ("ab", "c") differs from
// ("a", "bc").
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  void add(std::string_view part);
  // 32 lower-case hexadecimal digits for what was added so far.
  std::string hex() const;

 private:
  struct State;  // Hides xxhash.h, which is large.
  std::unique_ptr<State> state_;
};

}  // namespace schemascript
