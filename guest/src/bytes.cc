#include "bytes.h"

namespace schemascript::guest {

bool bytesOf(JSContext* context, JSValueConst array, std::uint8_t*& first, std::size_t& size) {
  std::size_t offset = 0;
  std::size_t elementBytes = 0;
  const Value buffer(context,
                     JS_GetTypedArrayBuffer(context, array, &offset, &size, &elementBytes));
  if (buffer.isException()) return false;
  if (elementBytes != 1) {
    JS_ThrowTypeError(context, "expected a Uint8Array");
    return false;
  }
  std::size_t bufferSize = 0;
  std::uint8_t* const start = JS_GetArrayBuffer(context, &bufferSize, buffer.get());
  if (start == nullptr && size != 0) return false;
  first = start + offset;
  return true;
}

JSValue newUint8Array(JSContext* context, std::string_view bytes) {
  Value buffer(context,
               JS_NewArrayBufferCopy(context, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                     bytes.size()));
  if (buffer.isException()) return JS_EXCEPTION;
  // The engine reads all three, whatever the count says.
  JSValueConst arguments[] = {buffer.get(), JS_UNDEFINED, JS_UNDEFINED};
  return JS_NewTypedArray(context, 3, arguments, JS_TYPED_ARRAY_UINT8);
}

std::string toWellFormed(std::string_view text) {
  std::string bytes(text);
  for (std::size_t at = 0; at + 2 < bytes.size(); ++at) {
    // U+FFFD has three bytes as well.
    if (bytes[at] == '\xED' && static_cast<std::uint8_t>(bytes[at + 1]) >= 0xA0) {
      bytes.replace(at, 3, "\xEF\xBF\xBD");
    }
  }
  return bytes;
}

}  // namespace schemascript::guest
