// A host for tests: answers requests with bytes that a test prepared, and keeps the requests.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "guest.h"

namespace schemascript::guest {

// There is one at a time, as there is one guest in a module.
struct FakeHost {
  std::deque<std::string> answers;  // The next one first; without any, host_db_query answers 0.
  std::vector<std::string> requests;
  std::string waiting;
  std::size_t fetched = 0;
  // What host_db_query says of the answer's length; as it is where 0.
  std::uint32_t claimedSize = 0;
  // At most so many bytes by one call of host_copy_result.
  std::size_t pieceMax = SIZE_MAX;
  std::function<void()> onQuery;

  FakeHost();
  ~FakeHost();
};

// An engine with the glue's globals, and the fake host beside it.
class NativeGuest {
 public:
  NativeGuest();
  NativeGuest(const NativeGuest&) = delete;
  NativeGuest& operator=(const NativeGuest&) = delete;
  // Fails the program where a value of the engine was not given back.
  ~NativeGuest();

  // What a script's value is as a string, or "throws " and the exception as one.
  std::string run(std::string_view script);

  // Calls a function of `__host_sqlite` with values that are globals, with at most so many bytes of
  // memory more than there are in use. No bytecode runs: the engine's own handling of errors in it
  // does not survive that there is no memory at all. "done", or what it throws.
  std::string call(const char* function, std::vector<const char*> globals, std::size_t bytesMore);

  FakeHost host;
  Guest guest;

 private:
  std::string describe(JSValueConst value);
};

// The bytes of a binary answer or of a request.
class Bytes {
 public:
  Bytes& u8(std::uint8_t number) { return raw(&number, 1); }
  Bytes& u32(std::uint32_t number) { return raw(&number, sizeof number); }
  Bytes& i64(std::int64_t number) { return raw(&number, sizeof number); }
  Bytes& f64(double number) { return raw(&number, sizeof number); }
  Bytes& null() { return u8(0); }
  Bytes& integer(std::int64_t number) { return u8(1).i64(number); }
  Bytes& real(double number) { return u8(2).f64(number); }
  Bytes& text(std::string_view text) { return u8(3).sized(text); }
  Bytes& blob(std::string_view bytes) { return u8(4).sized(bytes); }
  Bytes& malformed(std::string_view bytes) { return u8(5).sized(bytes); }
  Bytes& sized(std::string_view bytes) {
    return u32(static_cast<std::uint32_t>(bytes.size())).raw(bytes.data(), bytes.size());
  }
  // The beginning of an answer, and of a result.
  Bytes& answer(std::uint8_t kind) { return u8(1).u8(kind).u8(0).u8(0); }
  Bytes& result(std::uint32_t columns, std::uint32_t rows, std::uint32_t cursor = 0,
                std::int64_t changes = 0, std::int64_t lastInsertRowid = 0) {
    return u32(columns).u32(rows).u32(cursor).i64(changes).i64(lastInsertRowid);
  }
  Bytes& rows(std::uint32_t columns, std::uint32_t count, std::uint32_t cursor = 0,
              std::int64_t changes = 0, std::int64_t lastInsertRowid = 0) {
    return answer(2).result(columns, count, cursor, changes, lastInsertRowid);
  }
  Bytes& raw(const void* first, std::size_t size) {
    bytes_.append(static_cast<const char*>(first), size);
    return *this;
  }
  operator std::string() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace schemascript::guest
