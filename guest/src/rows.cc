#include "rows.h"

#include <cmath>
#include <utility>

#include "host.h"

namespace schemascript::guest {
namespace {

constexpr std::int64_t kSafeIntegerMax = (std::int64_t{1} << 53) - 1;
// The days that a Date can hold, in milliseconds.
constexpr double kDateMax = 8.64e15;
constexpr std::size_t kResultHeadBytes = 3 * 4 + 2 * 8;

bool isSafe(std::int64_t number) { return number >= -kSafeIntegerMax && number <= kSafeIntegerMax; }

Value member(JSContext* context, JSValueConst object, const char* name) {
  return Value(context, JS_GetPropertyStr(context, object, name));
}

Value element(JSContext* context, JSValueConst array, std::uint32_t index) {
  return Value(context, JS_GetPropertyUint32(context, array, index));
}

// The length of an array; false with an exception pending where it is none.
bool lengthOf(JSContext* context, JSValueConst array, const char* what, std::uint32_t& length) {
  const int isArray = JS_IsArray(context, array);
  if (isArray < 0) return false;
  if (isArray == 0) {
    JS_ThrowTypeError(context, "the shape of a row needs an array of %s", what);
    return false;
  }
  const Value size = member(context, array, "length");
  return !size.isException() && JS_ToUint32(context, &length, size.get()) == 0;
}

// Where there is no memory for an error, the engine throws that it cannot make one, without end. So
// this one asks first; what is then pending says that memory ran out.
bool canThrow(JSContext* context) {
  void* const probe = js_malloc(context, 1024);
  js_free(context, probe);
  return probe != nullptr;
}

}  // namespace

JSValue newInteger(JSContext* context, std::int64_t number) {
  return isSafe(number) ? JS_NewInt64(context, number) : JS_NewBigInt64(context, number);
}

JSValue throwMalformedAnswer(JSContext* context) {
  if (!canThrow(context)) return JS_EXCEPTION;
  return JS_ThrowInternalError(context, "the host's answer is not well-formed");
}

RowShape::~RowShape() {
  for (const Column& column : columns_) {
    JS_FreeAtomRT(runtime_, column.key);
    JS_FreeValueRT(runtime_, column.decoder);
  }
  for (const Node& node : nodes_) JS_FreeAtomRT(runtime_, node.key);
  for (const Name& name : names_) JS_FreeValueRT(runtime_, name.name);
  for (const Nullable& nullable : nullables_) JS_FreeAtomRT(runtime_, nullable.key);
  columns_.free(runtime_);
  nodes_.free(runtime_);
  names_.free(runtime_);
  nullables_.free(runtime_);
}

bool RowShape::compile(JSContext* context, JSValueConst shape) {
  const Value columns = member(context, shape, "columns");
  std::uint32_t count = 0;
  if (columns.isException() || !lengthOf(context, columns.get(), "columns", count)) return false;
  for (std::uint32_t index = 0; index < count; ++index) {
    const Value column = element(context, columns.get(), index);
    if (column.isException() || !addColumn(context, column.get())) return false;
  }
  const Value nullable = member(context, shape, "nullable");
  if (nullable.isException()) return false;
  if (nullable.isUndefined()) return true;
  if (!lengthOf(context, nullable.get(), "nullable", count)) return false;
  for (std::uint32_t index = 0; index < count; ++index) {
    const Value item = element(context, nullable.get(), index);
    if (item.isException() || !addNullable(context, item.get())) return false;
  }
  return true;
}

void RowShape::mark(JS_MarkFunc* visit) const {
  for (const Column& column : columns_) JS_MarkValue(runtime_, column.decoder, visit);
}

bool RowShape::addColumn(JSContext* context, JSValueConst shape) {
  const Value path = member(context, shape, "path");
  const Value kind = member(context, shape, "kind");
  Value decoder = member(context, shape, "decoder");
  std::uint32_t number = 0;
  if (path.isException() || kind.isException() || decoder.isException() ||
      JS_ToUint32(context, &number, kind.get()) < 0) {
    return false;
  }
  if (number >= kDecodings) {
    JS_ThrowRangeError(context, "there is no kind %u of columns", number);
    return false;
  }
  Column column{};
  column.decoding = static_cast<Decoding>(number);
  column.decoder = JS_UNDEFINED;
  if (column.decoding == Decoding::Named && !addNames(context, shape, column)) return false;
  if (!addPath(context, path.get(), column)) return false;
  if (!columns_.add(context, column)) {
    JS_FreeAtom(context, column.key);
    return false;
  }
  columns_[columns_.size() - 1].decoder = decoder.take();
  return true;
}

// Leaves `column.key` owned where it succeeds.
bool RowShape::addPath(JSContext* context, JSValueConst path, Column& column) {
  std::uint32_t length = 0;
  if (!lengthOf(context, path, "names as a column's path", length)) return false;
  if (length == 0) {
    JS_ThrowTypeError(context, "a column's path is empty");
    return false;
  }
  for (std::uint32_t depth = 0; depth < length; ++depth) {
    const Value name = element(context, path, depth);
    if (name.isException()) return false;
    const JSAtom key = JS_ValueToAtom(context, name.get());
    if (key == JS_ATOM_NULL) return false;
    if (depth + 1 == length) {
      column.key = key;
    } else if (!enter(context, key, column.node)) {
      return false;
    }
  }
  // An object that a value took the place of would be gone while it is still being filled.
  if (tryFindNode(column.node, column.key) == nullptr) return true;
  JS_FreeAtom(context, column.key);
  JS_ThrowTypeError(context, "a column's path is the beginning of another one's");
  return false;
}

// From `node` to the object that is its `key`, which is added where it is new. Takes `key`.
bool RowShape::enter(JSContext* context, JSAtom key, std::uint32_t& node) {
  if (const Node* const found = tryFindNode(node, key)) {
    JS_FreeAtom(context, key);
    node = static_cast<std::uint32_t>(found - nodes_.begin()) + 1;
    return true;
  }
  for (const Column& column : columns_) {
    if (column.node != node || column.key != key) continue;
    JS_FreeAtom(context, key);
    JS_ThrowTypeError(context, "a column's path is the beginning of another one's");
    return false;
  }
  if (!nodes_.add(context, {node, key, columns_.size()})) {
    JS_FreeAtom(context, key);
    return false;
  }
  node = nodes_.size();
  return true;
}

bool RowShape::addNames(JSContext* context, JSValueConst shape, Column& column) {
  const Value names = member(context, shape, "names");
  const Value numbers = member(context, shape, "numbers");
  std::uint32_t count = 0;
  std::uint32_t numberCount = 0;
  if (names.isException() || numbers.isException() ||
      !lengthOf(context, names.get(), "names", count) ||
      !lengthOf(context, numbers.get(), "numbers", numberCount)) {
    return false;
  }
  if (count != numberCount) {
    JS_ThrowTypeError(context, "a column has %u names and %u numbers", count, numberCount);
    return false;
  }
  column.firstName = names_.size();
  for (std::uint32_t index = 0; index < count; ++index) {
    Value name = element(context, names.get(), index);
    const Value number = element(context, numbers.get(), index);
    Name item{0, JS_UNDEFINED};
    if (name.isException() || number.isException() ||
        JS_ToInt64Ext(context, &item.number, number.get()) < 0) {
      return false;
    }
    // Only strings: they cannot be part of a cycle that the collector had to know of.
    if (!JS_IsString(name.get())) {
      JS_ThrowTypeError(context, "a column's names must be strings");
      return false;
    }
    if (!names_.add(context, item)) return false;
    names_[names_.size() - 1].name = name.take();
  }
  column.nameCount = count;
  return true;
}

bool RowShape::addNullable(JSContext* context, JSValueConst nullable) {
  const Value node = member(context, nullable, "node");
  const Value column = member(context, nullable, "column");
  Nullable item{};
  if (node.isException() || column.isException() ||
      JS_ToUint32(context, &item.column, column.get()) < 0) {
    return false;
  }
  item.key = JS_ValueToAtom(context, node.get());
  if (item.key == JS_ATOM_NULL) return false;
  if (tryFindNode(0, item.key) == nullptr || item.column >= columns_.size()) {
    JS_FreeAtom(context, item.key);
    JS_ThrowTypeError(context, "what is nullable must be an object of the row, by a column of it");
    return false;
  }
  if (!nullables_.add(context, item)) {
    JS_FreeAtom(context, item.key);
    return false;
  }
  columns_[item.column].isWatched = true;
  return true;
}

const RowShape::Node* RowShape::tryFindNode(std::uint32_t parent, JSAtom key) const noexcept {
  for (const Node& node : nodes_) {
    if (node.parent == parent && node.key == key) return &node;
  }
  return nullptr;
}

bool RowReader::readHead(ResultHead& head) {
  if (!answer_.has(kResultHeadBytes)) {
    throwMalformedAnswer(context_);
    return false;
  }
  head_.columns = answer_.u32();
  head_.rows = answer_.u32();
  head_.cursor = answer_.u32();
  head_.changes = answer_.i64();
  head_.lastInsertRowid = answer_.i64();
  head = head_;
  // Each value takes a byte at least, so the answer's own size bounds what is made of it.
  if (std::uint64_t{head_.columns} * head_.rows > answer_.left() ||
      (head_.columns == 0 && head_.rows != 0)) {
    throwMalformedAnswer(context_);
    return false;
  }
  return shape_ == nullptr || head_.rows == 0 || prepareFrame();
}

// Objects of the row first, then one place for each that may be null.
bool RowReader::prepareFrame() {
  const std::size_t size = 1 + shape_->nodes_.size() + shape_->nullables_.size();
  if (size <= kFrameSize) return true;
  nodes_ = ownFrame_ = static_cast<JSValue*>(js_malloc(context_, size * sizeof(JSValue)));
  return ownFrame_ != nullptr;
}

JSValue RowReader::readRows() {
  Value rows(context_, JS_NewArray(context_));
  if (rows.isException()) return JS_EXCEPTION;
  for (std::uint32_t index = 0; index < head_.rows; ++index) {
    // Rows are made without a step of bytecode, where the engine would ask.
    if (*tools_.stopRequested != 0) return throwInterrupted(context_);
    const JSValue row = nextRow();
    if (JS_IsException(row) ||
        JS_DefinePropertyValueUint32(context_, rows.get(), index, row, JS_PROP_C_W_E) < 0) {
      return JS_EXCEPTION;
    }
  }
  return rows.take();
}

JSValue RowReader::readRow() {
  if (head_.rows > 1) return throwMalformedAnswer(context_);
  return head_.rows == 0 ? JS_UNDEFINED : nextRow();
}

JSValue RowReader::nextArray() {
  Value row(context_, JS_NewArray(context_));
  if (row.isException()) return JS_EXCEPTION;
  for (std::uint32_t index = 0; index < head_.columns; ++index) {
    Cell cell;
    if (!readCell(cell)) return JS_EXCEPTION;
    const JSValue value = asIs(cell);
    if (JS_IsException(value) ||
        JS_DefinePropertyValueUint32(context_, row.get(), index, value, JS_PROP_C_W_E) < 0) {
      return JS_EXCEPTION;
    }
  }
  return row.take();
}

JSValue RowReader::nextObject() {
  Value row(context_, JS_NewObject(context_));
  if (row.isException() || !fillObject(row.get())) return JS_EXCEPTION;
  return row.take();
}

bool RowReader::fillObject(JSValueConst row) {
  const std::uint32_t nodeCount = shape_->nodes_.size();
  const std::uint32_t nullableCount = shape_->nullables_.size();
  JSValue* const nulls = nodes_ + 1 + nodeCount;
  for (std::uint32_t index = 0; index < nullableCount; ++index) nulls[index] = JS_UNDEFINED;
  nodes_[0] = row;
  std::uint32_t opened = 0;
  for (std::uint32_t index = 0; index < shape_->columns_.size(); ++index) {
    for (; opened < nodeCount && shape_->nodes_[opened].column == index; ++opened) {
      const RowShape::Node& node = shape_->nodes_[opened];
      const JSValue object = JS_NewObject(context_);
      if (JS_IsException(object)) return false;
      nodes_[opened + 1] = object;
      if (JS_DefinePropertyValue(context_, nodes_[node.parent], node.key, object, JS_PROP_C_W_E) <
          0) {
        return false;
      }
    }
    const RowShape::Column& column = shape_->columns_[index];
    Cell cell;
    const bool isThere = index < head_.columns;
    if (isThere && !readCell(cell)) return false;
    // What the statement does not answer is undefined, as it is for Drizzle.
    const JSValue value = isThere ? decode(cell, column) : call(JS_UNDEFINED, column);
    if (JS_IsException(value)) return false;
    if (column.isWatched && JS_IsNull(value)) {
      for (std::uint32_t at = 0; at < nullableCount; ++at) {
        if (shape_->nullables_[at].column == index) nulls[at] = JS_NULL;
      }
    }
    if (JS_DefinePropertyValue(context_, nodes_[column.node], column.key, value, JS_PROP_C_W_E) <
        0) {
      return false;
    }
  }
  // What it answers beyond its shape is nobody's.
  for (std::uint32_t index = shape_->columns_.size(); index < head_.columns; ++index) {
    Cell cell;
    if (!readCell(cell)) return false;
    const Value unused(context_, asIs(cell));
    if (unused.isException()) return false;
  }
  for (std::uint32_t index = 0; index < nullableCount; ++index) {
    if (JS_IsNull(nulls[index]) &&
        JS_DefinePropertyValue(context_, row, shape_->nullables_[index].key, JS_NULL,
                               JS_PROP_C_W_E) < 0) {
      return false;
    }
  }
  return true;
}

bool RowReader::readCell(Cell& cell) {
  if (answer_.has(1)) {
    cell.tag = static_cast<Tag>(answer_.u8());
    switch (cell.tag) {
      case Tag::Null:
        return true;
      case Tag::Integer:
        if (!answer_.has(8)) break;
        cell.integer = answer_.i64();
        return true;
      case Tag::Real:
        if (!answer_.has(8)) break;
        cell.real = answer_.f64();
        return true;
      case Tag::Text:
      case Tag::Blob:
      case Tag::MalformedText:
        if (!answer_.has(4)) break;
        cell.size = answer_.u32();
        if (cell.size > answer_.left()) break;
        return true;
    }
  }
  throwMalformedAnswer(context_);
  return false;
}

JSValue RowReader::asIs(const Cell& cell) {
  switch (cell.tag) {
    case Tag::Null:
      return JS_NULL;
    case Tag::Integer:
      return newInteger(context_, cell.integer);
    case Tag::Real:
      return JS_NewFloat64(context_, cell.real);
    case Tag::Text:
      return text(cell.size);
    case Tag::Blob:
    case Tag::MalformedText:
      break;
  }
  return blob(cell.size);
}

JSValue RowReader::text(std::uint32_t size) {
  if (answer_.isWhole(size)) return JS_NewStringLen(context_, answer_.text(size), size);
  auto* const copy = static_cast<char*>(js_malloc(context_, size));
  if (copy == nullptr) return JS_EXCEPTION;
  const JSValue made = answer_.copy(copy, size) ? JS_NewStringLen(context_, copy, size)
                                                : throwMalformedAnswer(context_);
  js_free(context_, copy);
  return made;
}

JSValue RowReader::blob(std::uint32_t size) {
  auto* const bytes = static_cast<std::uint8_t*>(js_malloc(context_, size == 0 ? 1 : size));
  if (bytes == nullptr) return JS_EXCEPTION;
  const auto release = [](JSRuntime* runtime, void*, void* first) { js_free_rt(runtime, first); };
  Value buffer(context_, answer_.copy(bytes, size)
                             ? JS_NewArrayBuffer(context_, bytes, size, release, nullptr, 0)
                             : throwMalformedAnswer(context_));
  if (buffer.isException()) {
    js_free(context_, bytes);
    return JS_EXCEPTION;
  }
  // The engine reads all three, whatever the count says.
  JSValueConst arguments[] = {buffer.get(), JS_UNDEFINED, JS_UNDEFINED};
  return JS_NewTypedArray(context_, 3, arguments, JS_TYPED_ARRAY_UINT8);
}

JSValue RowReader::json(const Cell& cell, const RowShape::Column& column) {
  if (answer_.isWhole(cell.size)) return parse(answer_.text(cell.size), cell.size, column);
  auto* const copy = static_cast<char*>(js_malloc(context_, std::size_t{cell.size} + 1));
  if (copy == nullptr) return JS_EXCEPTION;
  const JSValue parsed = answer_.copy(copy, cell.size) ? parse(copy, cell.size, column)
                                                       : throwMalformedAnswer(context_);
  js_free(context_, copy);
  return parsed;
}

// One byte behind the text must be writable.
JSValue RowReader::parse(char* text, std::uint32_t size, const RowShape::Column& column) {
  // The engine's parser wants a NUL behind its text, where the next value may begin.
  const char next = std::exchange(text[size], '\0');
  const JSValue parsed = JS_ParseJSON(context_, text, size, "<json>");
  text[size] = next;
  if (!JS_IsException(parsed)) return parsed;
  // Memory that ran out says nothing about the text.
  const JSValue error = JS_GetException(context_);
  const Value prototype(context_, JS_GetPrototype(context_, error));
  if (!JS_IsObject(prototype.get()) ||
      JS_VALUE_GET_PTR(prototype.get()) != JS_VALUE_GET_PTR(tools_.syntaxErrorPrototype.get())) {
    return JS_Throw(context_, error);
  }
  JS_FreeValue(context_, error);
  return call(JS_NewStringLen(context_, text, size), column);
}

JSValue RowReader::decode(const Cell& cell, const RowShape::Column& column) {
  if (cell.tag == Tag::Null) return JS_NULL;
  switch (column.decoding) {
    case Decoding::AsIs:
      return asIs(cell);
    case Decoding::Number:
      if (cell.tag == Tag::Integer && isSafe(cell.integer)) {
        return JS_NewInt64(context_, cell.integer);
      }
      if (cell.tag == Tag::Real) return JS_NewFloat64(context_, cell.real);
      break;
    case Decoding::BigInt:
      if (cell.tag == Tag::Integer) return JS_NewBigInt64(context_, cell.integer);
      break;
    case Decoding::Boolean:
      if (cell.tag == Tag::Integer && (cell.integer == 0 || cell.integer == 1)) {
        return JS_NewBool(context_, cell.integer == 1);
      }
      break;
    case Decoding::Milliseconds:
      return date(cell, column, 1);
    case Decoding::Seconds:
      return date(cell, column, 1000);
    case Decoding::Json:
      if (cell.tag == Tag::Text) return json(cell, column);
      break;
    case Decoding::Text:
      if (cell.tag == Tag::Text) return text(cell.size);
      break;
    case Decoding::Blob:
      if (cell.tag == Tag::Blob) return blob(cell.size);
      break;
    case Decoding::Named:
      for (std::uint32_t at = 0; cell.tag == Tag::Integer && at < column.nameCount; ++at) {
        const RowShape::Name& name = shape_->names_[column.firstName + at];
        if (name.number == cell.integer) return JS_DupValue(context_, name.name);
      }
      break;
    case Decoding::ToNumber:
      if (cell.tag == Tag::Integer) {
        return JS_NewFloat64(context_, static_cast<double>(cell.integer));
      }
      if (cell.tag == Tag::Real) return JS_NewFloat64(context_, cell.real);
      break;
    case Decoding::Call:
      break;
  }
  return call(asIs(cell), column);
}

JSValue RowReader::date(const Cell& cell, const RowShape::Column& column, double unit) {
  const bool isNumber = cell.tag == Tag::Real || (cell.tag == Tag::Integer && isSafe(cell.integer));
  if (isNumber) {
    const double time =
        (cell.tag == Tag::Real ? cell.real : static_cast<double>(cell.integer)) * unit;
    if (std::abs(time) <= kDateMax) return JS_NewDate(context_, time);
  }
  return call(asIs(cell), column);
}

// What is not as a column's kind expects it is its decoder's business. Takes `raw`.
JSValue RowReader::call(JSValue raw, const RowShape::Column& column) {
  if (JS_IsException(raw) || JS_IsUndefined(column.decoder)) return raw;
  const Value value(context_, raw);
  // The decoder may query, which drops the waiting answer.
  if (!answer_.detach()) return JS_EXCEPTION;
  JSValueConst arguments[] = {value.get()};
  return JS_Invoke(context_, column.decoder, tools_.mapFromDriverValue, 1, arguments);
}

}  // namespace schemascript::guest
