// Ownership of QuickJS values in the guest: a Value frees what it holds when it leaves its scope.
#pragma once

#include <string_view>
#include <utility>

#include "immortal.h"

namespace schemascript::guest {

// One owned reference to a JavaScript value. Movable only; `share()` makes a second reference on
// purpose.
class Value {
 public:
  Value() noexcept = default;
  Value(JSContext* context, JSValue raw) noexcept : context_(context), raw_(raw) {}
  Value(Value&& other) noexcept
      : context_(other.context_), raw_(std::exchange(other.raw_, JS_UNDEFINED)) {}
  Value& operator=(Value&& other) noexcept {
    if (this != &other) {
      reset();
      context_ = other.context_;
      raw_ = std::exchange(other.raw_, JS_UNDEFINED);
    }
    return *this;
  }
  Value(const Value&) = delete;
  Value& operator=(const Value&) = delete;
  ~Value() { reset(); }

  static Value share(JSContext* context, JSValueConst raw) noexcept {
    return Value(context, JS_DupValue(context, raw));
  }

  JSValueConst get() const noexcept { return raw_; }
  // Hands the reference over, to a function of QuickJS that frees its argument or to a return
  // value.
  [[nodiscard]] JSValue take() noexcept { return std::exchange(raw_, JS_UNDEFINED); }
  bool isException() const noexcept { return JS_IsException(raw_); }
  bool isUndefined() const noexcept { return JS_IsUndefined(raw_); }

 private:
  void reset() noexcept {
    if (context_ != nullptr) JS_FreeValue(context_, raw_);
    raw_ = JS_UNDEFINED;
  }

  JSContext* context_ = nullptr;
  JSValue raw_ = JS_UNDEFINED;
};

// A value as UTF-8. `valid()` is false when the conversion threw; the exception is then pending.
class Text {
 public:
  Text(JSContext* context, JSValueConst value) noexcept
      : context_(context), first_(JS_ToCStringLen(context, &size_, value)) {}
  Text(const Text&) = delete;
  Text& operator=(const Text&) = delete;
  ~Text() {
    if (first_ != nullptr) JS_FreeCString(context_, first_);
  }

  bool valid() const noexcept { return first_ != nullptr; }
  std::string_view view() const noexcept { return {first_, size_}; }

 private:
  JSContext* context_;
  std::size_t size_ = 0;
  const char* first_;
};

inline Value newString(JSContext* context, std::string_view text) {
  return Value(context, JS_NewStringLen(context, text.data(), text.size()));
}

}  // namespace schemascript::guest
