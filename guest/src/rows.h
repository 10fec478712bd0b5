// Rows of a binary answer to JavaScript: to arrays, or to objects in a shape that was compiled
// before. Nothing that a program did to Object.prototype, Array.prototype or to globals has an
// effect: properties are defined, not set, and the engine makes what is made.
#pragma once

#include <cstdint>

#include "js.h"
#include "wire.h"

namespace schemascript::guest {

// What a column's values become; the numbers are those of `kind` in docs/protocol.md.
enum class Decoding : std::uint8_t {
  AsIs,
  Number,
  BigInt,
  Boolean,
  Milliseconds,
  Seconds,
  Json,
  Text,
  Blob,
  Named,
  Call,
  ToNumber,
};
inline constexpr std::uint32_t kDecodings = 12;

// A list in the engine's memory, which counts it. Its items are given back by whoever has the list.
template <typename Item>
class List {
 public:
  List() noexcept = default;
  List(const List&) = delete;
  List& operator=(const List&) = delete;

  // False with an exception pending.
  [[nodiscard]] bool add(JSContext* context, const Item& item) {
    if (size_ == capacity_) {
      const std::uint32_t capacity = capacity_ == 0 ? 4 : capacity_ * 2;
      auto* const moved =
          static_cast<Item*>(js_realloc(context, items_, std::size_t{capacity} * sizeof(Item)));
      if (moved == nullptr) return false;
      items_ = moved;
      capacity_ = capacity;
    }
    items_[size_++] = item;
    return true;
  }
  void free(JSRuntime* runtime) noexcept { js_free_rt(runtime, items_); }
  std::uint32_t size() const noexcept { return size_; }
  const Item& operator[](std::uint32_t index) const noexcept { return items_[index]; }
  Item& operator[](std::uint32_t index) noexcept { return items_[index]; }
  const Item* begin() const noexcept { return items_; }
  const Item* end() const noexcept { return items_ + size_; }

 private:
  Item* items_ = nullptr;
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = 0;
};

// How rows become objects: which value goes to which property, and as what. Immutable once
// compiled, so that a decoder may use the statement whose rows it is decoding.
class RowShape {
 public:
  explicit RowShape(JSRuntime* runtime) noexcept : runtime_(runtime) {}
  RowShape(const RowShape&) = delete;
  RowShape& operator=(const RowShape&) = delete;
  ~RowShape();

  // Reads the JavaScript object that docs/protocol.md describes; once. False with an exception
  // pending.
  bool compile(JSContext* context, JSValueConst shape);
  void mark(JS_MarkFunc* visit) const;

 private:
  friend class RowReader;
  struct Name {
    std::int64_t number;
    JSValue name;
  };
  struct Column {
    std::uint32_t node;  // The object that it belongs to; 0 is the row.
    JSAtom key;
    Decoding decoding;
    bool isWatched;   // Some object is null where this is.
    JSValue decoder;  // Undefined: there is none.
    std::uint32_t firstName, nameCount;
  };
  // An object inside of the row: made when the row is at `column`.
  struct Node {
    std::uint32_t parent;
    JSAtom key;
    std::uint32_t column;
  };
  struct Nullable {
    JSAtom key;
    std::uint32_t column;
  };

  bool addColumn(JSContext* context, JSValueConst shape);
  bool addPath(JSContext* context, JSValueConst path, Column& column);
  bool enter(JSContext* context, JSAtom key, std::uint32_t& node);
  bool addNames(JSContext* context, JSValueConst shape, Column& column);
  bool addNullable(JSContext* context, JSValueConst nullable);
  const Node* tryFindNode(std::uint32_t parent, JSAtom key) const noexcept;

  JSRuntime* const runtime_;
  List<Column> columns_;
  List<Node> nodes_;  // The first one is node 1.
  List<Name> names_;
  List<Nullable> nullables_;
};

// What the readers need of the engine, made once.
struct RowTools {
  JSAtom mapFromDriverValue = JS_ATOM_NULL;
  Value syntaxErrorPrototype;
  const volatile std::uint32_t* stopRequested = nullptr;
};

struct ResultHead {
  std::uint32_t columns;
  std::uint32_t rows;
  std::uint32_t cursor;
  std::int64_t changes;
  std::int64_t lastInsertRowid;
};

// A whole number as the driver's users see it: a number where a double holds it, else a BigInt.
JSValue newInteger(JSContext* context, std::int64_t number);
// For an answer that is not what the host may answer.
JSValue throwMalformedAnswer(JSContext* context);

// Reads one result of an answer. Every function that answers a JSValue answers an exception where
// the answer is malformed, memory ends or a decoder throws; what was made so far is freed.
class RowReader {
 public:
  // `shape` null: rows become arrays. All must live longer.
  RowReader(JSContext* context, const RowTools& tools, AnswerReader& answer, const RowShape* shape)
      : context_(context), tools_(tools), answer_(answer), shape_(shape) {}
  RowReader(const RowReader&) = delete;
  RowReader& operator=(const RowReader&) = delete;
  ~RowReader() { js_free(context_, ownFrame_); }

  // Once, before the others. False with an exception pending.
  bool readHead(ResultHead& head);
  // An array of all rows.
  JSValue readRows();
  // The only row, or undefined where there is none.
  JSValue readRow();

 private:
  // The start of a value: a number itself, or the length of what follows.
  struct Cell {
    Tag tag;
    std::uint32_t size;
    std::int64_t integer;
    double real;
  };
  static constexpr std::uint32_t kFrameSize = 16;

  bool prepareFrame();
  JSValue nextRow() { return shape_ == nullptr ? nextArray() : nextObject(); }
  JSValue nextArray();
  JSValue nextObject();
  bool fillObject(JSValueConst row);
  bool readCell(Cell& cell);
  JSValue asIs(const Cell& cell);
  JSValue text(std::uint32_t size);
  JSValue blob(std::uint32_t size);
  JSValue json(const Cell& cell, const RowShape::Column& column);
  JSValue parse(char* text, std::uint32_t size, const RowShape::Column& column);
  JSValue decode(const Cell& cell, const RowShape::Column& column);
  JSValue date(const Cell& cell, const RowShape::Column& column, double unit);
  JSValue call(JSValue raw, const RowShape::Column& column);

  JSContext* const context_;
  const RowTools& tools_;
  AnswerReader& answer_;
  const RowShape* const shape_;
  ResultHead head_{};
  // The objects of the row that is being made: borrowed from it.
  JSValue frame_[kFrameSize];
  JSValue* ownFrame_ = nullptr;
  JSValue* nodes_ = frame_;
};

}  // namespace schemascript::guest
