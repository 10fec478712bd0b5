#include "rows.h"

#include <cmath>

namespace schemascript::guest {
namespace {

// The largest time that a Date holds, in milliseconds.
constexpr double kTimeMax = 8.64e15;

JSValue integerAsItIs(JSContext* context, std::int64_t integer) {
  if (integer < -kSafeIntegerMax || integer > kSafeIntegerMax) {
    return JS_NewBigInt64(context, integer);
  }
  return JS_NewInt64(context, integer);
}

void releaseBytes(JSRuntime* runtime, void*, void* bytes) { js_free_rt(runtime, bytes); }

bool lengthOf(JSContext* context, JSValueConst array, std::uint32_t& length) {
  const Value value(context, JS_GetPropertyStr(context, array, "length"));
  return !value.isException() && JS_ToUint32(context, &length, value.get()) == 0;
}

}  // namespace

bool Shape::compile(JSContext* context, JSValueConst description) {
  if (!nodes_.push(context, {0, JS_ATOM_NULL})) return false;
  const Value columns(context, JS_GetPropertyStr(context, description, "columns"));
  std::uint32_t count = 0;
  if (columns.isException() || !lengthOf(context, columns.get(), count)) return false;
  for (std::uint32_t index = 0; index < count; ++index) {
    const Value column(context, JS_GetPropertyUint32(context, columns.get(), index));
    if (column.isException() || !addColumn(context, column.get())) return false;
  }
  const Value nullable(context, JS_GetPropertyStr(context, description, "nullable"));
  if (nullable.isException()) return false;
  if (nullable.isUndefined()) return true;
  if (!lengthOf(context, nullable.get(), count)) return false;
  for (std::uint32_t index = 0; index < count; ++index) {
    const Value each(context, JS_GetPropertyUint32(context, nullable.get(), index));
    if (each.isException() || !addNullable(context, each.get())) return false;
  }
  return true;
}

bool Shape::addColumn(JSContext* context, JSValueConst description) {
  const Value path(context, JS_GetPropertyStr(context, description, "path"));
  const Value kind(context, JS_GetPropertyStr(context, description, "kind"));
  Value decoder(context, JS_GetPropertyStr(context, description, "decoder"));
  std::uint32_t length = 0;
  std::uint32_t decoding = 0;
  if (path.isException() || kind.isException() || decoder.isException() ||
      !lengthOf(context, path.get(), length) || JS_ToUint32(context, &decoding, kind.get()) < 0) {
    return false;
  }
  if (length == 0 || decoding > static_cast<std::uint32_t>(Decoding::ToNumber)) {
    JS_ThrowTypeError(context, "a column has a path and a kind");
    return false;
  }
  Column column{static_cast<Decoding>(decoding), JS_ATOM_NULL, 0, 0, 0, 0, JS_UNDEFINED};
  for (std::uint32_t index = 0; index < length; ++index) {
    const Value part(context, JS_GetPropertyUint32(context, path.get(), index));
    if (part.isException()) return false;
    const JSAtom name = JS_ValueToAtom(context, part.get());
    if (name == JS_ATOM_NULL) return false;
    if (index + 1 == length) {
      column.name = name;
    } else if (!findNode(context, column.node, name, column.node)) {
      return false;
    }
  }
  column.nodesBefore = nodes_.size();
  if (!columns_.push(context, column)) {
    JS_FreeAtom(context, column.name);
    return false;
  }
  // From here on release() frees what the column owns.
  Column& added = columns_[columns_.size() - 1];
  added.decoder = decoder.take();
  return added.decoding != Decoding::Named || addNames(context, description, added);
}

bool Shape::addNames(JSContext* context, JSValueConst description, Column& column) {
  const Value names(context, JS_GetPropertyStr(context, description, "names"));
  const Value numbers(context, JS_GetPropertyStr(context, description, "numbers"));
  if (names.isException() || numbers.isException()) return false;
  column.firstName = names_.size();
  std::uint32_t count = 0;
  if (!lengthOf(context, names.get(), count)) return false;
  for (std::uint32_t index = 0; index < count; ++index) {
    Value name(context, JS_GetPropertyUint32(context, names.get(), index));
    const Value number(context, JS_GetPropertyUint32(context, numbers.get(), index));
    std::int64_t value = 0;
    if (name.isException() || number.isException() ||
        JS_ToInt64(context, &value, number.get()) < 0 ||
        !names_.push(context, {value, name.get()})) {
      return false;
    }
    static_cast<void>(name.take());
    ++column.nameCount;
  }
  return true;
}

bool Shape::addNullable(JSContext* context, JSValueConst description) {
  const Value node(context, JS_GetPropertyStr(context, description, "node"));
  const Value column(context, JS_GetPropertyStr(context, description, "column"));
  std::uint32_t index = 0;
  if (node.isException() || column.isException() ||
      JS_ToUint32(context, &index, column.get()) < 0) {
    return false;
  }
  const JSAtom name = JS_ValueToAtom(context, node.get());
  if (name == JS_ATOM_NULL) return false;
  if (nullable_.push(context, {name, index})) return true;
  JS_FreeAtom(context, name);
  return false;
}

// Takes over `name`.
bool Shape::findNode(JSContext* context, std::uint32_t parent, JSAtom name, std::uint32_t& node) {
  for (std::uint32_t known = 1; known < nodes_.size(); ++known) {
    if (nodes_[known].parent == parent && nodes_[known].name == name) {
      JS_FreeAtom(context, name);
      node = known;
      return true;
    }
  }
  if (!nodes_.push(context, {parent, name})) {
    JS_FreeAtom(context, name);
    return false;
  }
  node = nodes_.size() - 1;
  return true;
}

void Shape::mark(JSRuntime* runtime, JS_MarkFunc* markFunction) {
  for (const Column& column : columns_) JS_MarkValue(runtime, column.decoder, markFunction);
}

void Shape::release(JSRuntime* runtime) {
  for (const Column& column : columns_) {
    JS_FreeAtomRT(runtime, column.name);
    JS_FreeValueRT(runtime, column.decoder);
  }
  for (const Node& node : nodes_) JS_FreeAtomRT(runtime, node.name);
  for (const Name& name : names_) JS_FreeValueRT(runtime, name.name);
  for (const Nullable& nullable : nullable_) JS_FreeAtomRT(runtime, nullable.node);
  columns_.release(runtime);
  nodes_.release(runtime);
  names_.release(runtime);
  nullable_.release(runtime);
}

Rows::~Rows() {
  JSRuntime* const runtime = JS_GetRuntime(context_);
  objects_.release(runtime);
  isNull_.release(runtime);
}

JSValue Rows::next(std::uint32_t columns) {
  return shape_ != nullptr && shape_->hasColumns() ? nextObject(columns) : nextArray(columns);
}

// Properties are defined, never set: what a program did to Array.prototype and Object.prototype is
// not asked.
JSValue Rows::nextArray(std::uint32_t columns) {
  Value row(context_, JS_NewArray(context_));
  if (row.isException()) return JS_EXCEPTION;
  for (std::uint32_t column = 0; column < columns; ++column) {
    const JSValue value = plain();
    if (JS_IsException(value) ||
        JS_DefinePropertyValueUint32(context_, row.get(), column, value, JS_PROP_C_W_E) < 0) {
      return JS_EXCEPTION;
    }
  }
  return row.take();
}

JSValue Rows::nextObject(std::uint32_t columns) {
  if (objects_.size() == 0) {
    for ([[maybe_unused]] const auto& node : shape_->nodes_) {
      if (!objects_.push(context_, JS_UNDEFINED)) return JS_EXCEPTION;
    }
    for ([[maybe_unused]] const auto& column : shape_->columns_) {
      if (!isNull_.push(context_, false)) return JS_EXCEPTION;
    }
  }
  Value row(context_, JS_NewObject(context_));
  if (row.isException()) return JS_EXCEPTION;
  objects_[0] = row.get();
  if (!addColumns(columns) || !dropNullNodes()) return JS_EXCEPTION;
  return row.take();
}

bool Rows::addColumns(std::uint32_t columns) {
  std::uint32_t nodes = 1;
  for (std::uint32_t index = 0; index < shape_->columns_.size(); ++index) {
    const Column& column = shape_->columns_[index];
    for (; nodes < column.nodesBefore; ++nodes) {
      if (!addNode(nodes)) return false;
    }
    const JSValue value = index < columns ? decoded(column) : call(column, JS_UNDEFINED);
    if (JS_IsException(value)) return false;
    isNull_[index] = JS_IsNull(value);
    if (JS_DefinePropertyValue(context_, objects_[column.node], column.name, value, JS_PROP_C_W_E) <
        0) {
      return false;
    }
  }
  // What a statement answers beyond the shape is nobody's.
  for (std::uint32_t index = shape_->columns_.size(); index < columns; ++index) {
    const Value unused(context_, plain());
    if (unused.isException()) return false;
  }
  return true;
}

bool Rows::addNode(std::uint32_t node) {
  const Shape::Node& description = shape_->nodes_[node];
  const JSValue object = JS_NewObject(context_);
  if (JS_IsException(object)) return false;
  objects_[node] = object;
  return JS_DefinePropertyValue(context_, objects_[description.parent], description.name, object,
                                JS_PROP_C_W_E) >= 0;
}

bool Rows::dropNullNodes() {
  for (const Shape::Nullable& nullable : shape_->nullable_) {
    if (nullable.column >= isNull_.size() || !isNull_[nullable.column]) continue;
    if (JS_DefinePropertyValue(context_, objects_[0], nullable.node, JS_NULL, JS_PROP_C_W_E) < 0) {
      return false;
    }
  }
  return true;
}

JSValue Rows::plain() {
  Tag tag{};
  if (!answer_.read(tag)) return JS_EXCEPTION;
  switch (tag) {
    case Tag::Null:
      return JS_NULL;
    case Tag::Integer: {
      std::int64_t integer = 0;
      if (!answer_.read(integer)) return JS_EXCEPTION;
      return integerAsItIs(context_, integer);
    }
    case Tag::Real: {
      double real = 0;
      if (!answer_.read(real)) return JS_EXCEPTION;
      return JS_NewFloat64(context_, real);
    }
    case Tag::Text: {
      std::uint32_t size = 0;
      if (!answer_.read(size)) return JS_EXCEPTION;
      return text(size);
    }
    case Tag::Blob:
    case Tag::OddText:
      return blob();
  }
  answer_.failMalformed();
  return JS_EXCEPTION;
}

JSValue Rows::decoded(const Column& column) {
  const auto tag = static_cast<Tag>(answer_.peek());
  const Decoding decoding = column.decoding;
  if (decoding == Decoding::AsItIs || tag == Tag::Null) return plain();
  if (tag == Tag::Integer || tag == Tag::Real) {
    Tag read{};
    std::int64_t integer = 0;
    double real = 0;
    if (!answer_.read(read)) return JS_EXCEPTION;
    if (tag == Tag::Integer) {
      return answer_.read(integer) ? decodedInteger(column, integer) : JS_EXCEPTION;
    }
    return answer_.read(real) ? decodedReal(column, real) : JS_EXCEPTION;
  }
  if (tag == Tag::Text && decoding == Decoding::Json) return json(column);
  const bool isExpected = (tag == Tag::Text && decoding == Decoding::Text) ||
                          (tag == Tag::Blob && decoding == Decoding::Blob);
  return isExpected ? plain() : call(column, plain());
}

JSValue Rows::decodedInteger(const Column& column, std::int64_t integer) {
  const bool isSafe = integer >= -kSafeIntegerMax && integer <= kSafeIntegerMax;
  const auto number = static_cast<double>(integer);
  switch (column.decoding) {
    case Decoding::Number:
      if (isSafe) return JS_NewInt64(context_, integer);
      break;
    case Decoding::BigInt:
      return JS_NewBigInt64(context_, integer);
    case Decoding::Boolean:
      if (integer == 0 || integer == 1) return JS_NewBool(context_, integer == 1);
      break;
    case Decoding::Milliseconds:
      if (std::fabs(number) <= kTimeMax) return JS_NewDate(context_, number);
      break;
    case Decoding::Seconds:
      if (std::fabs(number) <= kTimeMax / 1000) return JS_NewDate(context_, number * 1000);
      break;
    case Decoding::Named:
      for (std::uint32_t index = 0; index < column.nameCount; ++index) {
        const Shape::Name& name = shape_->names_[column.firstName + index];
        if (name.number == integer) return JS_DupValue(context_, name.name);
      }
      break;
    case Decoding::ToNumber:
      return isSafe ? JS_NewInt64(context_, integer) : JS_NewFloat64(context_, number);
    default:
      break;
  }
  return call(column, integerAsItIs(context_, integer));
}

JSValue Rows::decodedReal(const Column& column, double real) {
  const JSValue number = JS_NewFloat64(context_, real);
  if (column.decoding == Decoding::Number || column.decoding == Decoding::ToNumber) return number;
  return call(column, number);
}

JSValue Rows::text(std::uint32_t size) {
  if (AnswerReader::fits(size)) {
    const char* const characters = answer_.view(size);
    return characters == nullptr ? JS_EXCEPTION : JS_NewStringLen(context_, characters, size);
  }
  if (size > answer_.left()) {
    answer_.failMalformed();
    return JS_EXCEPTION;
  }
  auto* const characters = static_cast<char*>(js_malloc(context_, size));
  if (characters == nullptr) return JS_EXCEPTION;
  const JSValue text =
      answer_.readTo(characters, size) ? JS_NewStringLen(context_, characters, size) : JS_EXCEPTION;
  js_free(context_, characters);
  return text;
}

JSValue Rows::json(const Column& column) {
  Value stored(context_, plain());
  if (stored.isException()) return JS_EXCEPTION;
  const Text text(context_, stored.get());
  if (!text.valid()) return JS_EXCEPTION;
  const JSValue parsed =
      JS_ParseJSON(context_, text.view().data(), text.view().size(), "a column of JSON");
  if (!JS_IsException(parsed)) return parsed;
  const Value error(context_, JS_GetException(context_));  // The decoder says it better.
  return call(column, stored.take());
}

JSValue Rows::blob() {
  std::uint32_t size = 0;
  if (!answer_.read(size)) return JS_EXCEPTION;
  if (size > answer_.left()) {
    answer_.failMalformed();
    return JS_EXCEPTION;
  }
  auto* const bytes = static_cast<std::uint8_t*>(js_malloc(context_, size + 1));
  if (bytes == nullptr) return JS_EXCEPTION;
  if (!answer_.readTo(bytes, size)) {
    js_free(context_, bytes);
    return JS_EXCEPTION;
  }
  const Value buffer(context_, JS_NewArrayBuffer(context_, bytes, size, releaseBytes, nullptr, 0));
  if (buffer.isException()) {
    js_free(context_, bytes);
    return JS_EXCEPTION;
  }
  // The engine reads all three, whatever the count says.
  JSValueConst arguments[] = {buffer.get(), JS_UNDEFINED, JS_UNDEFINED};
  return JS_NewTypedArray(context_, 3, arguments, JS_TYPED_ARRAY_UINT8);
}

// Takes over `stored`. The decoder may send a request of its own, which would drop this answer.
JSValue Rows::call(const Column& column, JSValue stored) {
  Value value(context_, stored);
  if (value.isException()) return JS_EXCEPTION;
  if (JS_IsUndefined(column.decoder)) return value.take();
  if (!answer_.detach()) return JS_EXCEPTION;
  const Value decoder = Value::share(context_, column.decoder);
  const Value decode(context_, JS_GetPropertyStr(context_, decoder.get(), "mapFromDriverValue"));
  JSValueConst arguments[] = {value.get()};
  return decode.isException() ? JS_EXCEPTION
                              : JS_Call(context_, decode.get(), decoder.get(), 1, arguments);
}

}  // namespace schemascript::guest
