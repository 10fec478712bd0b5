// Hasher: XXH3, compiled in from the header alone.
#define XXH_INLINE_ALL
#include "base/hash.h"

#include <xxhash.h>

#include <cstdint>

namespace schemascript {

struct Hasher::State {
  XXH3_state_t xxh;  // Aligned to 64 bytes by its own declaration, which `new` respects.
};

Hasher::Hasher() : state_(std::make_unique<State>()) { XXH3_128bits_reset(&state_->xxh); }
Hasher::~Hasher() = default;

void Hasher::add(std::string_view part) {
  const std::uint64_t size = part.size();
  XXH3_128bits_update(&state_->xxh, &size, sizeof size);
  XXH3_128bits_update(&state_->xxh, part.data(), part.size());
}

std::string Hasher::hex() const {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state_->xxh));
  std::string text;
  for (const unsigned char byte : canonical.digest) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

}  // namespace schemascript
