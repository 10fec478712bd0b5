// Rows of an answer become JavaScript values: arrays, or objects of a shape that the driver has
// described.
#pragma once

#include <cstdint>

#include "js.h"
#include "wire.h"

namespace schemascript::guest {

// How a stored value becomes the value of a column. Only the stored values that a column of this
// kind is expected to hold are decoded here; everything else is left to the column's decoder in
// JavaScript, and so are its errors. NULL is null for all.
enum class Decoding : std::uint8_t {
  AsItIs,
  Number,        // an integer within 2^53 - 1, or a real
  BigInt,        // an integer
  Boolean,       // 1 or 0
  Milliseconds,  // an integer that a Date can hold -> Date
  Seconds,       // the same, in seconds
  Json,          // text that is JSON
  Text,
  Blob,
  Named,    // an integer that stands for a name
  Call,     // always the decoder
  ToNumber  // an integer or a real, rounded to a double
};

// An array of the engine's memory. Its elements are moved like bytes.
template <typename Element>
class List {
 public:
  List() = default;
  List(const List&) = delete;
  List& operator=(const List&) = delete;

  // False, with a pending exception, when there is no memory.
  [[nodiscard]] bool push(JSContext* context, Element element) {
    if (size_ == capacity_) {
      const std::uint32_t capacity = capacity_ == 0 ? 4 : capacity_ * 2;
      void* const larger = js_realloc(context, elements_, capacity * sizeof(Element));
      if (larger == nullptr) return false;
      elements_ = static_cast<Element*>(larger);
      capacity_ = capacity;
    }
    elements_[size_++] = element;
    return true;
  }
  // Instead of a destructor, which would not know the runtime.
  void release(JSRuntime* runtime) { js_free_rt(runtime, elements_); }

  std::uint32_t size() const noexcept { return size_; }
  Element& operator[](std::uint32_t index) noexcept { return elements_[index]; }
  Element* begin() noexcept { return elements_; }
  Element* end() noexcept { return elements_ + size_; }

 private:
  Element* elements_ = nullptr;
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = 0;
};

// What the driver knows about the rows of a statement, made ready for reading them. Lives in a
// native object, whose finalizer calls release().
class Shape {
 public:
  // Takes over the driver's description (RowShape in docs/protocol.md). False when it threw.
  [[nodiscard]] bool compile(JSContext* context, JSValueConst description);
  void mark(JSRuntime* runtime, JS_MarkFunc* markFunction);
  void release(JSRuntime* runtime);

  // Without columns, rows are arrays.
  bool hasColumns() const noexcept { return columns_.size() != 0; }

 private:
  friend class Rows;

  struct Name {
    std::int64_t number;
    JSValue name;
  };
  struct Column {
    Decoding decoding;
    JSAtom name;
    std::uint32_t node;         // The object that it is a property of.
    std::uint32_t nodesBefore;  // How many objects there must be.
    std::uint32_t firstName;    // Of `names_`.
    std::uint32_t nameCount;
    JSValue decoder;  // undefined: none
  };
  // An object inside of the row; the row itself is the first.
  struct Node {
    std::uint32_t parent;
    JSAtom name;
  };
  struct Nullable {
    JSAtom node;
    std::uint32_t column;
  };

  bool addColumn(JSContext* context, JSValueConst description);
  bool addNames(JSContext* context, JSValueConst description, Column& column);
  bool addNullable(JSContext* context, JSValueConst description);
  bool findNode(JSContext* context, std::uint32_t parent, JSAtom name, std::uint32_t& node);

  List<Column> columns_;
  List<Node> nodes_;
  List<Name> names_;
  List<Nullable> nullable_;
};

// Reads rows from an answer.
class Rows {
 public:
  // `shape` may be null: arrays. Both must outlive it.
  Rows(JSContext* context, AnswerReader& answer, Shape* shape) noexcept
      : context_(context), answer_(answer), shape_(shape) {}
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  ~Rows();

  // The next row, of that many columns. JS_EXCEPTION when it threw.
  JSValue next(std::uint32_t columns);

 private:
  using Column = Shape::Column;

  JSValue nextArray(std::uint32_t columns);
  JSValue nextObject(std::uint32_t columns);
  bool addColumns(std::uint32_t columns);
  bool addNode(std::uint32_t node);
  bool dropNullNodes();

  JSValue plain();
  JSValue decoded(const Column& column);
  JSValue decodedInteger(const Column& column, std::int64_t integer);
  JSValue decodedReal(const Column& column, double real);
  JSValue text(std::uint32_t size);
  JSValue json(const Column& column);
  JSValue blob();
  JSValue call(const Column& column, JSValue stored);

  JSContext* const context_;
  AnswerReader& answer_;
  Shape* const shape_;
  List<JSValue> objects_;  // By node; only the first, the row, is owned.
  List<bool> isNull_;      // By column.
};

}  // namespace schemascript::guest
