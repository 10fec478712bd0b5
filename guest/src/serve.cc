#include "serve.h"

#include <algorithm>
#include <cstring>

#include "bytes.h"
#include "guest.h"
#include "text.h"

namespace schemascript::guest {
namespace {

// Flags of a request.
constexpr std::uint32_t kHasBody = 1;
constexpr std::uint32_t kBodyFollows = 2;  // More of it than is in the message.

// Reads a message of the host's, which is as it should be: the host made it.
class Reader {
 public:
  explicit Reader(std::string_view message) : rest_(message) {}

  std::uint32_t number() {
    std::uint32_t number = 0;
    std::memcpy(&number, rest_.data(), sizeof number);
    rest_.remove_prefix(sizeof number);
    return number;
  }
  std::string_view bytes() {
    const std::uint32_t size = number();
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }

 private:
  std::string_view rest_;
};

void addNumber(std::string& message, std::uint32_t number) {
  message.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void addBytes(std::string& message, std::string_view bytes) {
  addNumber(message, bytes.size());
  message += bytes;
}

bool isAscii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<signed char>(c) >= 0; });
}

// A string whose characters are the bytes, as HTTP's fields are for JavaScript.
Value newByteString(JSContext* context, std::string_view bytes) {
  if (isAscii(bytes)) return newString(context, bytes);
  std::string utf8;
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte < 0x80) {
      utf8 += c;
    } else {
      utf8 += static_cast<char>(0xC0 | byte >> 6);
      utf8 += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return newString(context, utf8);
}

// The opposite. Characters above 255 were refused when the headers were made.
std::string toBytes(std::string_view utf8) {
  std::string bytes;
  for (std::size_t at = 0; at < utf8.size(); ++at) {
    const auto byte = static_cast<std::uint8_t>(utf8[at]);
    if (byte < 0x80 || at + 1 == utf8.size()) {
      bytes += utf8[at];
    } else {
      bytes += static_cast<char>(byte << 6 | (static_cast<std::uint8_t>(utf8[++at]) & 0x3F));
    }
  }
  return bytes;
}

Value property(JSContext* context, JSValueConst object, const char* name) {
  return Value(context, JS_GetPropertyStr(context, object, name));
}

Value element(JSContext* context, const Value& array, std::uint32_t index) {
  return Value(context, JS_GetPropertyUint32(context, array.get(), index));
}

template <std::size_t kCount>
Value callServer(Guest& guest, const char* name, JSValueConst (&arguments)[kCount]) {
  JSContext* const context = guest.context;
  const Value function = property(context, guest.server.functions.get(), name);
  return Value(context,
               JS_Call(context, function.get(), JS_UNDEFINED, static_cast<int>(kCount), arguments));
}

Value callServer(Guest& guest, const char* name) {
  JSContext* const context = guest.context;
  const Value function = property(context, guest.server.functions.get(), name);
  return Value(context, JS_Call(context, function.get(), JS_UNDEFINED, 0, nullptr));
}

Value callHandler(Guest& guest, const Value& handler, const Value& receiver, const Value& first,
                  const Value& execution) {
  JSContext* const context = guest.context;
  JSValueConst arguments[] = {first.get(), guest.server.env.get(), execution.get()};
  return Value(context, JS_Call(context, handler.get(), receiver.get(), 3, arguments));
}

// A list of strings, as makeRequest wants the headers.
Value readHeaders(Guest& guest, Reader& reader) {
  JSContext* const context = guest.context;
  Value list(context, JS_NewArray(context));
  const std::uint32_t count = 2 * reader.number();
  for (std::uint32_t index = 0; index < count && !list.isException(); ++index) {
    Value text = newByteString(context, reader.bytes());
    if (text.isException() ||
        JS_DefinePropertyValueUint32(context, list.get(), index, text.take(), JS_PROP_C_W_E) < 0) {
      return Value(context, JS_EXCEPTION);
    }
  }
  return list;
}

// Of an array of the runtime's own.
std::uint32_t lengthOf(JSContext* context, const Value& array) {
  std::uint32_t length = 0;
  const Value number = property(context, array.get(), "length");
  if (JS_ToUint32(context, &length, number.get()) < 0)
    JS_FreeValue(context, JS_GetException(context));
  return length;
}

bool addHeaders(JSContext* context, std::string& message, const Value& list) {
  const std::uint32_t count = lengthOf(context, list);
  addNumber(message, count / 2);
  for (std::uint32_t index = 0; index < count; ++index) {
    const Value value = element(context, list, index);
    const Text text(context, value.get());
    if (!text.valid()) return false;
    if (isAscii(text.view())) {
      addBytes(message, text.view());
    } else {
      addBytes(message, toBytes(text.view()));
    }
  }
  return true;
}

// A string, a Uint8Array or null.
bool addBody(JSContext* context, std::string& message, const Value& body) {
  if (JS_IsNull(body.get())) {
    addNumber(message, 0);
    return true;
  }
  if (JS_IsString(body.get())) {
    const Text text(context, body.get());
    if (!text.valid()) return false;
    if (isUtf8(text.view())) {
      addBytes(message, text.view());
    } else {
      addBytes(message, toWellFormed(text.view()));
    }
    return true;
  }
  std::uint8_t* first = nullptr;
  std::size_t size = 0;
  if (!bytesOf(context, body.get(), first, size)) return false;
  addBytes(message, {reinterpret_cast<const char*>(first), size});
  return true;
}

std::uint32_t toNumber(JSContext* context, const Value& value) {
  std::uint32_t number = 0;
  if (JS_ToUint32(context, &number, value.get()) < 0)
    JS_FreeValue(context, JS_GetException(context));
  return number;
}

}  // namespace

bool setEnvironment(Guest& guest, std::string_view json) {
  JSContext* const context = guest.context;
  guest.server.env = Value(context, JS_ParseJSON(context, json.data(), json.size(), "env"));
  return !guest.server.env.isException();
}

Value handleFetch(Guest& guest, const Value& handler, const Value& receiver,
                  std::string_view message) {
  JSContext* const context = guest.context;
  guest.server.wantsBody = false;
  Reader reader(message);
  const std::uint32_t flags = reader.number();
  const Value method = newString(context, reader.bytes());
  const Value url = newString(context, reader.bytes());
  const Value headers = readHeaders(guest, reader);
  const Value body(context,
                   (flags & kHasBody) != 0 ? newUint8Array(context, reader.bytes()) : JS_NULL);
  if (method.isException() || url.isException() || headers.isException() || body.isException()) {
    return Value(context, JS_EXCEPTION);
  }
  const Value execution = callServer(guest, "begin");
  if (execution.isException()) return Value(context, JS_EXCEPTION);
  JSValueConst arguments[] = {method.get(), url.get(), headers.get(), body.get(),
                              JS_NewBool(context, (flags & kBodyFollows) != 0)};
  const Value request = callServer(guest, "makeRequest", arguments);
  if (request.isException()) return Value(context, JS_EXCEPTION);
  return callHandler(guest, handler, receiver, request, execution);
}

Value handleScheduled(Guest& guest, const Value& handler, const Value& receiver,
                      std::string_view json) {
  JSContext* const context = guest.context;
  const Value event(context, JS_ParseJSON(context, json.data(), json.size(), "event"));
  if (event.isException()) return Value(context, JS_EXCEPTION);
  const Value execution = callServer(guest, "begin");
  if (execution.isException()) return Value(context, JS_EXCEPTION);
  return callHandler(guest, handler, receiver, event, execution);
}

Value receiveBody(Guest& guest, std::string_view bytes, std::uint32_t state) {
  JSContext* const context = guest.context;
  guest.server.wantsBody = false;
  const Value piece(context, newUint8Array(context, bytes));
  if (piece.isException()) return Value(context, JS_EXCEPTION);
  JSValueConst arguments[] = {piece.get(), JS_NewUint32(context, state)};
  return callServer(guest, "receive", arguments);
}

Value nextPiece(Guest& guest) { return callServer(guest, "next"); }

bool keepHead(Guest& guest, const Value& answered) {
  JSContext* const context = guest.context;
  JSValueConst arguments[] = {answered.get()};
  const Value head = callServer(guest, "head", arguments);
  if (head.isException()) return false;
  std::string& message = guest.server.response;
  message.clear();
  addNumber(message, toNumber(context, element(context, head, 4)));
  addNumber(message, toNumber(context, element(context, head, 0)));
  const Value statusText = element(context, head, 1);
  const Text reason(context, statusText.get());
  if (!reason.valid()) return false;
  addBytes(message, toBytes(reason.view()));
  return addHeaders(context, message, element(context, head, 2)) &&
         addBody(context, message, element(context, head, 3));
}

bool keepRest(Guest& guest) {
  const Value flags = callServer(guest, "remaining");
  if (flags.isException()) return false;
  guest.server.response.clear();
  addNumber(guest.server.response, toNumber(guest.context, flags));
  addNumber(guest.server.response, 0);
  return true;
}

bool keepPiece(Guest& guest, const Value& answered) {
  JSContext* const context = guest.context;
  std::string& message = guest.server.response;
  message.clear();
  addNumber(message, toNumber(context, element(context, answered, 1)));
  return addBody(context, message, element(context, answered, 0));
}

}  // namespace schemascript::guest
