#include "wire.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "host.h"

namespace schemascript::guest {
namespace {

constexpr std::uint8_t kBinaryForm = 1;

// Where answers arrive. One for all, because only one reader at a time has bytes in it: whoever
// lets JavaScript run while it reads detaches itself before.
char buffer[16 * 1024];

}  // namespace

RequestWriter::~RequestWriter() {
  if (data_ != local_) js_free(context_, data_);
}

bool RequestWriter::append(const void* bytes, std::size_t size) {
  if (size > capacity_ - size_) {
    const std::size_t wanted = std::max(size_ + size, capacity_ + capacity_ / 2);
    char* const larger = static_cast<char*>(data_ == local_ ? js_malloc(context_, wanted)
                                                            : js_realloc(context_, data_, wanted));
    if (larger == nullptr) return false;
    if (data_ == local_) std::memcpy(larger, local_, size_);
    data_ = larger;
    capacity_ = wanted;
  }
  std::memcpy(data_ + size_, bytes, size);
  size_ += size;
  return true;
}

bool RequestWriter::header(Method method, std::uint8_t behavior, std::uint32_t transaction,
                           std::uint32_t cursor) {
  const std::uint8_t words[] = {kBinaryForm, static_cast<std::uint8_t>(method), behavior, 0};
  return append(words, sizeof words) && number(transaction) && number(cursor);
}

bool RequestWriter::statement(std::string_view sql, JSValueConst params) {
  if (!number(sql.size()) || !append(sql.data(), sql.size())) return false;
  const Value length(context_, JS_GetPropertyStr(context_, params, "length"));
  std::uint32_t count = 0;
  if (length.isException() || JS_ToUint32(context_, &count, length.get()) < 0) return false;
  if (!number(count)) return false;
  for (std::uint32_t index = 0; index < count; ++index) {
    const Value param(context_, JS_GetPropertyUint32(context_, params, index));
    if (param.isException() || !value(param.get(), index)) return false;
  }
  return true;
}

bool RequestWriter::sized(Tag kind, std::string_view bytes) {
  return tag(kind) && number(bytes.size()) && append(bytes.data(), bytes.size());
}

bool RequestWriter::integer(std::int64_t integer) {
  return tag(Tag::Integer) && append(&integer, sizeof integer);
}

bool RequestWriter::real(double real) {
  const bool isSafeInteger = std::trunc(real) == real && std::fabs(real) <= kSafeIntegerMax &&
                             !(real == 0 && std::signbit(real));
  if (isSafeInteger) return integer(static_cast<std::int64_t>(real));
  return tag(Tag::Real) && append(&real, sizeof real);
}

bool RequestWriter::value(JSValueConst value, std::uint32_t index) {
  switch (JS_VALUE_GET_NORM_TAG(value)) {
    case JS_TAG_NULL:
      return tag(Tag::Null);
    case JS_TAG_BOOL:
    case JS_TAG_INT:
      return integer(JS_VALUE_GET_INT(value));
    case JS_TAG_FLOAT64:
      return real(JS_VALUE_GET_FLOAT64(value));
    case JS_TAG_STRING:
    case JS_TAG_STRING_ROPE: {
      const Text text(context_, value);
      return text.valid() && sized(Tag::Text, text.view());
    }
    case JS_TAG_BIG_INT:
    case JS_TAG_SHORT_BIG_INT:
      return bigint(value, index);
    case JS_TAG_OBJECT:
      return object(value, index);
    case JS_TAG_SYMBOL:
      return refuse(index, "of type symbol");
    default:
      return refuse(index, "undefined");
  }
}

bool RequestWriter::bigint(JSValueConst value, std::uint32_t index) {
  std::int64_t number = 0;
  if (JS_ToBigInt64(context_, &number, value) < 0) return false;
  // The conversion drops the bits that are too many.
  const Value again(context_, JS_NewBigInt64(context_, number));
  if (!JS_StrictEq(context_, again.get(), value)) {
    return refuse(index, "a bigint of more than 64 bits");
  }
  return integer(number);
}

bool RequestWriter::object(JSValueConst value, std::uint32_t index) {
  const int isBytes = JS_IsInstanceOf(context_, value, bytesClass_);
  if (isBytes < 0) return false;
  if (isBytes == 0) {
    // A Date is told by what nothing else has; its prototype may be any realm's.
    const Value getTime(context_, JS_GetPropertyStr(context_, value, "getTime"));
    if (getTime.isException()) return false;
    if (JS_IsFunction(context_, getTime.get())) {
      return refuse(index, "a Date (bind its getTime())");
    }
    return refuse(index, JS_IsFunction(context_, value) ? "of type function" : "of type object");
  }
  std::size_t offset = 0;
  std::size_t size = 0;
  std::size_t elementBytes = 0;
  const Value array(context_,
                    JS_GetTypedArrayBuffer(context_, value, &offset, &size, &elementBytes));
  if (array.isException()) return false;
  std::size_t arraySize = 0;
  const std::uint8_t* const first = JS_GetArrayBuffer(context_, &arraySize, array.get());
  if (first == nullptr && size != 0) return false;
  if (offset > arraySize || size > arraySize - offset) size = 0;  // The buffer has shrunk.
  return sized(Tag::Blob, {reinterpret_cast<const char*>(first) + offset, size});
}

bool RequestWriter::refuse(std::uint32_t index, const char* what) {
  std::snprintf(refusal_, sizeof refusal_, "parameter %u is %s: SQLite has no value for it",
                static_cast<unsigned>(index + 1), what);
  return false;
}

AnswerReader::~AnswerReader() {
  if (own_ != nullptr) js_free(context_, own_);
}

bool AnswerReader::fits(std::size_t size) noexcept { return size <= sizeof buffer; }

bool AnswerReader::failMalformed() {
  JS_ThrowInternalError(context_, "the host's answer is malformed");
  return false;
}

std::uint8_t AnswerReader::peek() {
  if (next_ == end_ && !refill(1)) {
    JS_FreeValue(context_, JS_GetException(context_));
    return 0;
  }
  return static_cast<std::uint8_t>(*next_);
}

bool AnswerReader::refill(std::size_t wanted) {
  const std::size_t kept = end_ - next_;
  if (wanted > kept + onHost_ || own_ != nullptr) return failMalformed();
  if (kept != 0) std::memmove(buffer, next_, kept);
  const std::size_t more = std::min(sizeof buffer - kept, onHost_);
  if (hostFetch(buffer + kept, more) != more) return failMalformed();
  onHost_ -= more;
  next_ = buffer;
  end_ = buffer + kept + more;
  return true;
}

bool AnswerReader::readTo(void* destination, std::size_t size) {
  if (size > left()) return failMalformed();
  const std::size_t here = std::min<std::size_t>(size, end_ - next_);
  if (here != 0) std::memcpy(destination, next_, here);
  next_ += here;
  const std::size_t rest = size - here;
  if (rest == 0) return true;
  if (hostFetch(static_cast<char*>(destination) + here, rest) != rest) return failMalformed();
  onHost_ -= rest;
  return true;
}

const char* AnswerReader::view(std::size_t size) {
  if (static_cast<std::size_t>(end_ - next_) < size && (!fits(size) || !refill(size))) {
    return nullptr;
  }
  const char* const first = next_;
  next_ += size;
  return first;
}

bool AnswerReader::detach() {
  if (own_ != nullptr) return true;
  const std::size_t size = left();
  own_ = static_cast<char*>(js_malloc(context_, size + 1));
  if (own_ == nullptr || !readTo(own_, size)) return false;
  next_ = own_;
  end_ = own_ + size;
  return true;
}

}  // namespace schemascript::guest
