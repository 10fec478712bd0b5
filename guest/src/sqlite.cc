#include "sqlite.h"

#include <cstring>
#include <new>
#include <optional>
#include <string_view>

#include "guest.h"
#include "host.h"
#include "rows.h"
#include "wire.h"

namespace schemascript::guest {
namespace {

// What an answer of the binary form holds, as docs/protocol.md has it.
enum class Kind : std::uint8_t { Nothing, Transaction, Rows, Batch };

// SQL text and the shape of its rows. The memory is the engine's; the object of class
// NativeStatement owns it.
struct NativeStatement {
  char* sql = nullptr;
  std::size_t sqlBytes = 0;
  Shape shape;

  std::string_view text() const noexcept { return {sql, sqlBytes}; }
};

Sqlite& stateOf(JSContext* context) { return Guest::of(context).sqlite; }

void release(JSRuntime* runtime, NativeStatement* statement) {
  js_free_rt(runtime, statement->sql);
  statement->shape.release(runtime);
  js_free_rt(runtime, statement);
}

JSClassID statementClass = 0;

NativeStatement* statementOf(JSContext* context, JSValueConst value) {
  return static_cast<NativeStatement*>(JS_GetOpaque2(context, value, statementClass));
}

// Ours own nothing outside of the engine, so that its finalizer may come in any order.
void finalizeStatement(JSRuntime* runtime, JSValue value) {
  auto* const statement = static_cast<NativeStatement*>(JS_GetOpaque(value, statementClass));
  if (statement != nullptr) release(runtime, statement);
}

void markStatement(JSRuntime* runtime, JSValueConst value, JS_MarkFunc* markFunction) {
  auto* const statement = static_cast<NativeStatement*>(JS_GetOpaque(value, statementClass));
  if (statement != nullptr) statement->shape.mark(runtime, markFunction);
}

// statement(sql: string, shape?: RowShape): NativeStatement
JSValue newStatement(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  const Text sql(context, arguments[0]);
  if (!sql.valid()) return JS_EXCEPTION;
  Value object(context, JS_NewObjectClass(context, static_cast<int>(statementClass)));
  if (object.isException()) return JS_EXCEPTION;
  void* const memory = js_mallocz(context, sizeof(NativeStatement));
  if (memory == nullptr) return JS_EXCEPTION;
  auto* const statement = new (memory) NativeStatement;
  JS_SetOpaque(object.get(), statement);  // Which frees it from here on.
  statement->sqlBytes = sql.view().size();
  statement->sql = static_cast<char*>(js_malloc(context, statement->sqlBytes + 1));
  if (statement->sql == nullptr) return JS_EXCEPTION;
  std::memcpy(statement->sql, sql.view().data(), statement->sqlBytes);
  if (!JS_IsUndefined(arguments[1]) && !statement->shape.compile(context, arguments[1])) {
    return JS_EXCEPTION;
  }
  return object.take();
}

// Throws what the driver makes of the `error` of an answer.
void throwError(JSContext* context, JSValueConst description) {
  const Value& make = stateOf(context).makeError;
  if (!make.isUndefined()) {
    const Value error(context, JS_Call(context, make.get(), JS_UNDEFINED, 1, &description));
    if (!error.isException()) JS_Throw(context, JS_DupValue(context, error.get()));
    return;
  }
  const Value message(context, JS_GetPropertyStr(context, description, "message"));
  const Text text(context, message.get());
  JS_ThrowInternalError(context, "%s", text.valid() ? text.view().data() : "");
}

void throwRefusal(JSContext* context, const char* message) {
  const Value description(context, JS_NewObject(context));
  const auto add = [&](const char* name, const char* text) {
    JS_DefinePropertyValueStr(context, description.get(), name, JS_NewString(context, text),
                              JS_PROP_C_W_E);
  };
  add("code", "invalid-request");
  add("message", message);
  throwError(context, description.get());
}

// An answer in the JSON form: an error.
void throwAnswer(JSContext* context, AnswerReader& answer) {
  const std::size_t size = answer.left();
  auto* const text = static_cast<char*>(js_malloc(context, size + 1));
  if (text == nullptr) return;
  if (answer.readTo(text, size)) {
    text[size] = 0;
    const Value parsed(context, JS_ParseJSON(context, text, size, "the host's answer"));
    if (!parsed.isException()) {
      const Value error(context, JS_GetPropertyStr(context, parsed.get(), "error"));
      if (JS_IsObject(error.get())) {
        throwError(context, error.get());
      } else {
        answer.failMalformed();
      }
    }
  }
  js_free(context, text);
}

// One request and its answer, from the first byte behind the head of the answer.
class Exchange {
 public:
  explicit Exchange(JSContext* context) noexcept
      : request(context, stateOf(context).bytesClass.get()), context_(context) {}

  RequestWriter request;

  // Sends the request. False when an exception is pending: also that of a parameter which was
  // refused, or of an error answer.
  [[nodiscard]] bool send(Kind expected) {
    std::uint32_t size = 0;
    if (!hostSend(context_, request.bytes(), size)) return false;
    answer_.emplace(context_, size);
    struct {
      std::uint8_t form, kind, zeros[2];
    } head;
    if (answer_->peek() == '{') {
      throwAnswer(context_, *answer_);
      return false;
    }
    if (!answer_->read(head)) return false;
    return (head.form == 1 && head.kind == static_cast<std::uint8_t>(expected)) ||
           answer_->failMalformed();
  }
  // When a part of the request could not be written.
  JSValue fail() {
    if (request.refusal() != nullptr) throwRefusal(context_, request.refusal());
    return JS_EXCEPTION;
  }
  AnswerReader& answer() noexcept { return *answer_; }

 private:
  JSContext* const context_;
  std::optional<AnswerReader> answer_;
};

struct ResultHead {
  std::uint32_t columns = 0;
  std::uint32_t rows = 0;
  std::uint32_t cursor = 0;
  std::int64_t changes = 0;
  std::int64_t lastInsertRowid = 0;
};

bool readHead(AnswerReader& answer, ResultHead& head) {
  return answer.read(head.columns) && answer.read(head.rows) && answer.read(head.cursor) &&
         answer.read(head.changes) && answer.read(head.lastInsertRowid);
}

JSValue readRows(JSContext* context, AnswerReader& answer, const ResultHead& head, Shape* shape) {
  Value rows(context, JS_NewArray(context));
  if (rows.isException()) return JS_EXCEPTION;
  // Rows without columns would cost a broken host nothing.
  if (head.columns == 0 && head.rows != 0) {
    answer.failMalformed();
    return JS_EXCEPTION;
  }
  Rows reader(context, answer, shape);
  for (std::uint32_t index = 0; index < head.rows; ++index) {
    const JSValue row = reader.next(head.columns);
    if (JS_IsException(row) ||
        JS_DefinePropertyValueUint32(context, rows.get(), index, row, JS_PROP_C_W_E) < 0) {
      return JS_EXCEPTION;
    }
  }
  return rows.take();
}

JSValue integer(JSContext* context, std::int64_t number) {
  const bool isSafe = number >= -kSafeIntegerMax && number <= kSafeIntegerMax;
  return isSafe ? JS_NewInt64(context, number) : JS_NewBigInt64(context, number);
}

bool define(JSContext* context, const Value& object, const char* name, JSValue value) {
  return !JS_IsException(value) &&
         JS_DefinePropertyValueStr(context, object.get(), name, value, JS_PROP_C_W_E) >= 0;
}

// { rows, changes, lastInsertRowid }
JSValue readRunResult(JSContext* context, AnswerReader& answer, const ResultHead& head) {
  Value result(context, JS_NewObject(context));
  if (result.isException() ||
      !define(context, result, "rows", readRows(context, answer, head, nullptr)) ||
      !define(context, result, "changes", integer(context, head.changes)) ||
      !define(context, result, "lastInsertRowid", integer(context, head.lastInsertRowid))) {
    return JS_EXCEPTION;
  }
  return result.take();
}

// What the function with the name of `method` answers.
JSValue readResult(JSContext* context, AnswerReader& answer, Method method, Shape& shape) {
  ResultHead head;
  if (!readHead(answer, head)) return JS_EXCEPTION;
  switch (method) {
    case Method::Run:
      return readRunResult(context, answer, head);
    case Method::Values:
      return readRows(context, answer, head, nullptr);
    case Method::Get: {
      if (head.rows == 0) return JS_UNDEFINED;
      Rows reader(context, answer, &shape);
      return reader.next(head.columns);
    }
    default:
      return readRows(context, answer, head, &shape);
  }
}

// { rows, cursor }
JSValue readPiece(JSContext* context, AnswerReader& answer, Shape& shape) {
  ResultHead head;
  if (!readHead(answer, head)) return JS_EXCEPTION;
  Value result(context, JS_NewObject(context));
  if (result.isException() ||
      !define(context, result, "rows", readRows(context, answer, head, &shape)) ||
      !define(context, result, "cursor", JS_NewUint32(context, head.cursor))) {
    return JS_EXCEPTION;
  }
  return result.take();
}

// The declared tables come before the first query.
bool pushFirst(JSContext* context) {
  Guest& guest = Guest::of(context);
  return !guest.pushFirst || pushSchema(guest);
}

// run, all, values, get(statement, params, transaction)
JSValue execute(JSContext* context, JSValueConst, int, JSValueConst* arguments, int magic) {
  NativeStatement* const statement = statementOf(context, arguments[0]);
  std::uint32_t transaction = 0;
  if (statement == nullptr || JS_ToUint32(context, &transaction, arguments[2]) < 0 ||
      !pushFirst(context)) {
    return JS_EXCEPTION;
  }
  const auto method = static_cast<Method>(magic);
  Exchange exchange(context);
  if (!exchange.request.header(method, 0, transaction, 0) ||
      !exchange.request.statement(statement->text(), arguments[1])) {
    return exchange.fail();
  }
  if (!exchange.send(Kind::Rows)) return JS_EXCEPTION;
  return readResult(context, exchange.answer(), method, statement->shape);
}

// iterate(statement, params, transaction): { rows, cursor }
JSValue iterate(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  NativeStatement* const statement = statementOf(context, arguments[0]);
  std::uint32_t transaction = 0;
  if (statement == nullptr || JS_ToUint32(context, &transaction, arguments[2]) < 0 ||
      !pushFirst(context)) {
    return JS_EXCEPTION;
  }
  Exchange exchange(context);
  if (!exchange.request.header(Method::Iterate, 0, transaction, 0) ||
      !exchange.request.statement(statement->text(), arguments[1])) {
    return exchange.fail();
  }
  if (!exchange.send(Kind::Rows)) return JS_EXCEPTION;
  return readPiece(context, exchange.answer(), statement->shape);
}

// fetch(statement, cursor): { rows, cursor }
JSValue fetch(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  NativeStatement* const statement = statementOf(context, arguments[0]);
  std::uint32_t cursor = 0;
  if (statement == nullptr || JS_ToUint32(context, &cursor, arguments[1]) < 0) return JS_EXCEPTION;
  Exchange exchange(context);
  if (!exchange.request.header(Method::Fetch, 0, 0, cursor)) return exchange.fail();
  if (!exchange.send(Kind::Rows)) return JS_EXCEPTION;
  return readPiece(context, exchange.answer(), statement->shape);
}

// close(cursor), commit(transaction), rollback(transaction)
JSValue end(JSContext* context, JSValueConst, int, JSValueConst* arguments, int magic) {
  std::uint32_t handle = 0;
  if (JS_ToUint32(context, &handle, arguments[0]) < 0) return JS_EXCEPTION;
  const auto method = static_cast<Method>(magic);
  const bool isCursor = method == Method::Close;
  Exchange exchange(context);
  if (!exchange.request.header(method, 0, isCursor ? 0 : handle, isCursor ? handle : 0)) {
    return exchange.fail();
  }
  return exchange.send(Kind::Nothing) ? JS_UNDEFINED : JS_EXCEPTION;
}

// begin(behavior: "deferred" | "immediate" | "exclusive" | undefined, parent): number
JSValue begin(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  std::uint8_t behavior = 0;
  if (!JS_IsUndefined(arguments[0])) {
    const Text name(context, arguments[0]);
    if (!name.valid()) return JS_EXCEPTION;
    if (name.view() == "deferred") {
      behavior = 1;
    } else if (name.view() == "exclusive") {
      behavior = 2;
    } else if (name.view() != "immediate") {
      throwRefusal(context, "the behavior of a transaction is deferred, immediate or exclusive");
      return JS_EXCEPTION;
    }
  }
  std::uint32_t parent = 0;
  if (JS_ToUint32(context, &parent, arguments[1]) < 0 || !pushFirst(context)) return JS_EXCEPTION;
  Exchange exchange(context);
  if (!exchange.request.header(Method::Begin, behavior, parent, 0)) return exchange.fail();
  std::uint32_t handle = 0;
  if (!exchange.send(Kind::Transaction) || !exchange.answer().read(handle)) return JS_EXCEPTION;
  return JS_NewUint32(context, handle);
}

// The statements of a batch, kept alive until their rows are read.
class BatchSteps {
 public:
  explicit BatchSteps(JSContext* context) noexcept : context_(context) {}
  BatchSteps(const BatchSteps&) = delete;
  BatchSteps& operator=(const BatchSteps&) = delete;
  ~BatchSteps() {
    for (const Step& step : steps_) JS_FreeValue(context_, step.object);
    steps_.release(JS_GetRuntime(context_));
  }

  // Writes the next step, a [statement, method, params].
  [[nodiscard]] bool add(RequestWriter& request, JSValueConst description) {
    const Value method(context_, JS_GetPropertyUint32(context_, description, 1));
    const Value params(context_, JS_GetPropertyUint32(context_, description, 2));
    Value object(context_, JS_GetPropertyUint32(context_, description, 0));
    std::uint32_t number = 0;
    if (method.isException() || params.isException() || object.isException() ||
        JS_ToUint32(context_, &number, method.get()) < 0) {
      return false;
    }
    NativeStatement* const statement = statementOf(context_, object.get());
    if (statement == nullptr) return false;
    if (number > static_cast<std::uint32_t>(Method::Get)) {
      JS_ThrowTypeError(context_, "a batch has run, all, values and get");
      return false;
    }
    if (!steps_.push(context_, {static_cast<Method>(number), statement, object.get()})) {
      return false;
    }
    static_cast<void>(object.take());
    return request.number(number) && request.statement(statement->text(), params.get());
  }

  // Reads the results, in order.
  JSValue readResults(AnswerReader& answer) {
    std::uint32_t count = 0;
    if (!answer.read(count)) return JS_EXCEPTION;
    if (count != steps_.size()) {
      answer.failMalformed();
      return JS_EXCEPTION;
    }
    Value results(context_, JS_NewArray(context_));
    if (results.isException()) return JS_EXCEPTION;
    for (std::uint32_t index = 0; index < count; ++index) {
      const Step& step = steps_[index];
      const JSValue result = readResult(context_, answer, step.method, step.statement->shape);
      if (JS_IsException(result) ||
          JS_DefinePropertyValueUint32(context_, results.get(), index, result, JS_PROP_C_W_E) < 0) {
        return JS_EXCEPTION;
      }
    }
    return results.take();
  }

 private:
  struct Step {
    Method method;
    NativeStatement* statement;
    JSValue object;
  };

  JSContext* const context_;
  List<Step> steps_;
};

// batch(steps, transaction): unknown[]
JSValue batch(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  std::uint32_t transaction = 0;
  std::uint32_t count = 0;
  const Value length(context, JS_GetPropertyStr(context, arguments[0], "length"));
  if (length.isException() || JS_ToUint32(context, &count, length.get()) < 0 ||
      JS_ToUint32(context, &transaction, arguments[1]) < 0 || !pushFirst(context)) {
    return JS_EXCEPTION;
  }
  BatchSteps steps(context);
  Exchange exchange(context);
  if (!exchange.request.header(Method::Batch, 0, transaction, 0) ||
      !exchange.request.number(count)) {
    return exchange.fail();
  }
  for (std::uint32_t index = 0; index < count; ++index) {
    const Value step(context, JS_GetPropertyUint32(context, arguments[0], index));
    if (step.isException() || !steps.add(exchange.request, step.get())) return exchange.fail();
  }
  if (!exchange.send(Kind::Batch)) return JS_EXCEPTION;
  return steps.readResults(exchange.answer());
}

// setErrorFactory(make)
JSValue setErrorFactory(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  stateOf(context).makeError = Value::share(context, arguments[0]);
  return JS_UNDEFINED;
}

void addFunction(JSContext* context, JSValueConst object, const char* name, JSCFunction* function,
                 int arguments) {
  JS_DefinePropertyValueStr(context, object, name,
                            JS_NewCFunction(context, function, name, arguments),
                            JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
}

void addFunction(JSContext* context, JSValueConst object, const char* name,
                 JSCFunctionMagic* function, int arguments, Method method) {
  JS_DefinePropertyValueStr(context, object, name,
                            JS_NewCFunctionMagic(context, function, name, arguments,
                                                 JS_CFUNC_generic_magic, static_cast<int>(method)),
                            JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
}

}  // namespace

void defineSqlite(JSContext* context, Sqlite& sqlite) {
  static constexpr JSClassDef kStatement{.class_name = "NativeStatement",
                                         .finalizer = finalizeStatement,
                                         .gc_mark = markStatement,
                                         .call = nullptr,
                                         .exotic = nullptr};
  JS_NewClassID(&statementClass);
  JS_NewClass(JS_GetRuntime(context), statementClass, &kStatement);
  const Value global(context, JS_GetGlobalObject(context));
  sqlite.bytesClass = Value(context, JS_GetPropertyStr(context, global.get(), "Uint8Array"));
  const JSValue object = JS_NewObject(context);
  addFunction(context, object, "setErrorFactory", setErrorFactory, 1);
  addFunction(context, object, "statement", newStatement, 2);
  addFunction(context, object, "run", execute, 3, Method::Run);
  addFunction(context, object, "all", execute, 3, Method::All);
  addFunction(context, object, "values", execute, 3, Method::Values);
  addFunction(context, object, "get", execute, 3, Method::Get);
  addFunction(context, object, "batch", batch, 2);
  addFunction(context, object, "iterate", iterate, 3);
  addFunction(context, object, "fetch", fetch, 2);
  addFunction(context, object, "close", end, 1, Method::Close);
  addFunction(context, object, "begin", begin, 2);
  addFunction(context, object, "commit", end, 1, Method::Commit);
  addFunction(context, object, "rollback", end, 1, Method::Rollback);
  JS_DefinePropertyValueStr(context, global.get(), "__host_sqlite", object,
                            JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
}

}  // namespace schemascript::guest
