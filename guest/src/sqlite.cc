// The functions of `__host_sqlite`: each writes one request and makes JavaScript values of its
// answer.
#include "sqlite.h"

#include <cmath>
#include <memory>
#include <new>
#include <optional>
#include <string>

#include "control.h"
#include "guest.h"
#include "host.h"

namespace schemascript::guest {
namespace {

constexpr double kSafeIntegerMax = 9007199254740991.0;
constexpr double kHandleMax = 4294967295.0;

// A statement of the driver's: SQL text, and how its rows become objects. Belongs to a JavaScript
// object.
struct Statement {
  JSRuntime* runtime;
  char* sql = nullptr;
  std::uint32_t sqlSize = 0;
  // How its rows become objects: its own shape, or that of `like`. Null: rows stay arrays.
  const RowShape* rows = nullptr;
  RowShape shape;
  JSValue like = JS_UNDEFINED;

  explicit Statement(JSRuntime* of) noexcept : runtime(of), shape(of) {}
  ~Statement() {
    js_free_rt(runtime, sql);
    JS_FreeValueRT(runtime, like);
  }
  void mark(JS_MarkFunc* visit) const {
    shape.mark(visit);
    JS_MarkValue(runtime, like, visit);
  }
};

struct FreeStatement {
  void operator()(Statement* statement) const noexcept {
    JSRuntime* const runtime = statement->runtime;
    statement->~Statement();
    js_free_rt(runtime, statement);
  }
};

JSClassID statementClass = JS_INVALID_CLASS_ID;

const JSClassDef kStatementClass{
    "NativeStatement",
    [](JSRuntime*, JSValue object) {
      auto* const statement = static_cast<Statement*>(JS_GetOpaque(object, statementClass));
      if (statement != nullptr) FreeStatement{}(statement);
    },
    [](JSRuntime*, JSValueConst object, JS_MarkFunc* mark) {
      const auto* const statement = static_cast<Statement*>(JS_GetOpaque(object, statementClass));
      if (statement != nullptr) statement->mark(mark);
    },
    nullptr,
    nullptr,
};

// Null with an exception pending where it is none.
const Statement* statementOf(JSContext* context, JSValueConst object) {
  return static_cast<const Statement*>(JS_GetOpaque2(context, object, statementClass));
}

bool define(JSContext* context, const Value& object, JSAtom name, JSValue value) {
  return !JS_IsException(value) &&
         JS_DefinePropertyValue(context, object.get(), name, value, JS_PROP_C_W_E) >= 0;
}

// Throws what the driver makes of an error; where it has not said how, an Error with the message.
JSValue throwError(Guest& guest, Value error) {
  JSContext* const context = guest.context;
  const Sqlite& sqlite = guest.sqlite;
  if (!sqlite.errorFactory.isUndefined()) {
    JSValueConst arguments[] = {error.get()};
    const JSValue made = JS_Call(context, sqlite.errorFactory.get(), JS_UNDEFINED, 1, arguments);
    return JS_IsException(made) ? made : JS_Throw(context, made);
  }
  Value plain(context, JS_NewError(context));
  const JSValue message = JS_GetProperty(context, error.get(), sqlite.message);
  if (plain.isException() || !define(context, plain, sqlite.message, message)) return JS_EXCEPTION;
  return JS_Throw(context, plain.take());
}

// An error that is found here, before the host sees the request. `step`: of a batch, from 1; else
// 0.
void throwInvalidRequest(Guest& guest, const std::string& message, std::uint32_t step = 0) {
  JSContext* const context = guest.context;
  Value error(context, JS_NewObject(context));
  if (error.isException() ||
      !define(context, error, guest.sqlite.code, JS_NewString(context, "invalid-request")) ||
      !define(context, error, guest.sqlite.message, newString(context, message).take()) ||
      (step != 0 && !define(context, error, guest.sqlite.step, JS_NewUint32(context, step)))) {
    return;
  }
  (void)throwError(guest, std::move(error));
}

const char* typeOf(JSContext* context, JSValueConst value) {
  if (JS_IsFunction(context, value)) return "function";
  return JS_IsSymbol(value) ? "symbol" : "object";
}

void refuse(Guest& guest, std::uint32_t index, std::uint32_t step, const std::string& what) {
  throwInvalidRequest(guest, "parameter " + std::to_string(index + 1) + what, step);
}

// False with an exception pending.
bool writeBigInt(Guest& guest, RequestWriter& request, JSValueConst value, std::uint32_t index,
                 std::uint32_t step) {
  JSContext* const context = guest.context;
  std::int64_t number = 0;
  if (JS_ToBigInt64(context, &number, value) < 0) return false;
  // What has more bits was cut off.
  const Value back(context, JS_NewBigInt64(context, number));
  if (back.isException()) return false;
  if (!JS_StrictEq(context, back.get(), value)) {
    refuse(guest, index, step, " is outside of the range of a 64-bit INTEGER");
    return false;
  }
  request.integer(number);
  return true;
}

bool writeBytes(JSContext* context, RequestWriter& request, JSValueConst array) {
  std::size_t offset = 0;
  std::size_t size = 0;
  std::size_t elementBytes = 0;
  const Value buffer(context,
                     JS_GetTypedArrayBuffer(context, array, &offset, &size, &elementBytes));
  if (buffer.isException()) return false;
  std::size_t bufferSize = 0;
  const std::uint8_t* const first = JS_GetArrayBuffer(context, &bufferSize, buffer.get());
  if (first == nullptr && size != 0) return false;
  request.sized(Tag::Blob, size == 0 ? nullptr : first + offset, size);
  return true;
}

// A number without a fraction is an INTEGER within 2^53, and a REAL beyond it.
void writeNumber(RequestWriter& request, double number) {
  const bool isInteger = std::trunc(number) == number && std::abs(number) <= kSafeIntegerMax &&
                         !(number == 0 && std::signbit(number));
  if (isInteger) {
    request.integer(static_cast<std::int64_t>(number));
  } else {
    request.real(number);
  }
}

// False with an exception pending.
bool writeValue(Guest& guest, RequestWriter& request, JSValueConst value, std::uint32_t index,
                std::uint32_t step) {
  JSContext* const context = guest.context;
  if (JS_IsString(value)) {
    const Text text(context, value);
    if (!text.valid()) return false;
    request.sized(Tag::Text, text.view().data(), text.view().size());
    return true;
  }
  const int tag = JS_VALUE_GET_TAG(value);
  if (tag == JS_TAG_INT || tag == JS_TAG_BOOL) {
    request.integer(JS_VALUE_GET_INT(value));
    return true;
  }
  if (JS_TAG_IS_FLOAT64(tag)) {
    writeNumber(request, JS_VALUE_GET_FLOAT64(value));
    return true;
  }
  if (tag == JS_TAG_NULL) {
    request.null();
    return true;
  }
  if (JS_IsBigInt(context, value)) return writeBigInt(guest, request, value, index, step);
  const JSClassID kind = JS_GetClassID(value);
  if (kind == guest.sqlite.uint8ArrayClass) return writeBytes(context, request, value);
  // The sentences are those of packages/schemascript/src/protocol.ts.
  const std::string what = tag == JS_TAG_UNDEFINED ? "undefined"
                           : kind == guest.sqlite.dateClass
                               ? "a Date (bind its getTime())"
                               : std::string("of type ") + typeOf(context, value);
  refuse(guest, index, step, " is " + what + ": SQLite has no value for it");
  return false;
}

bool lengthOf(Guest& guest, JSValueConst array, std::uint32_t& length) {
  const Value size(guest.context, JS_GetProperty(guest.context, array, guest.sqlite.length));
  return !size.isException() && JS_ToUint32(guest.context, &length, size.get()) == 0;
}

// SQL and parameters. False with an exception pending, as everywhere below.
bool writeStatement(Guest& guest, RequestWriter& request, const Statement& statement,
                    JSValueConst params, std::uint32_t step = 0) {
  JSContext* const context = guest.context;
  request.u32(statement.sqlSize);
  request.bytes(statement.sql, statement.sqlSize);
  std::uint32_t count = 0;
  if (!JS_IsUndefined(params) && !lengthOf(guest, params, count)) return false;
  request.u32(count);
  for (std::uint32_t index = 0; index < count && !request.failed(); ++index) {
    const Value value(context, JS_GetPropertyUint32(context, params, index));
    if (value.isException() || !writeValue(guest, request, value.get(), index, step)) return false;
  }
  return !request.failed();
}

// A handle, or 0 for none. A number that is cut off would be another transaction's, or none's.
bool handleFrom(Guest& guest, JSValueConst value, const char* what, std::uint32_t& handle) {
  const int tag = JS_VALUE_GET_TAG(value);
  if (tag == JS_TAG_UNDEFINED) return true;
  double number = -1;
  if (tag == JS_TAG_INT) {
    number = JS_VALUE_GET_INT(value);
  } else if (JS_TAG_IS_FLOAT64(tag)) {
    number = JS_VALUE_GET_FLOAT64(value);
  }
  if (number >= 0 && number <= kHandleMax && std::trunc(number) == number) {
    handle = static_cast<std::uint32_t>(number);
    return true;
  }
  throwInvalidRequest(guest, what);
  return false;
}

bool transactionFrom(Guest& guest, JSValueConst value, std::uint32_t& handle) {
  return handleFrom(guest, value, "the transaction must be a number that begin has answered",
                    handle);
}

// The reason of an answer in JSON, which is always an error.
JSValue throwAnswered(Guest& guest, AnswerReader& answer) {
  JSContext* const context = guest.context;
  const std::size_t size = answer.left();
  auto* const text = static_cast<char*>(js_malloc(context, size + 1));
  if (text == nullptr) return JS_EXCEPTION;
  const bool isWhole = answer.copy(text, size);
  text[size] = '\0';
  const Value parsed(context, isWhole ? JS_ParseJSON(context, text, size, "<answer>")
                                      : throwMalformedAnswer(context));
  js_free(context, text);
  if (parsed.isException()) return JS_EXCEPTION;
  // An own property: programs may have given one to Object.prototype.
  JSPropertyDescriptor error{0, JS_UNDEFINED, JS_UNDEFINED, JS_UNDEFINED};
  const int found = JS_GetOwnProperty(context, &error, parsed.get(), guest.sqlite.error);
  if (found < 0) return JS_EXCEPTION;
  if (found == 0 || !JS_IsObject(error.value)) {
    JS_FreeValue(context, error.value);
    return throwMalformedAnswer(context);
  }
  return throwError(guest, Value(context, error.value));
}

// Sends a request and checks what kind its answer is of; it is then at the payload. Throws what the
// answer is an error of.
class Exchange {
 public:
  Exchange(Guest& guest, const RequestWriter& request)
      : guest_(guest),
        size_(request.failed() ? 0 : hostRequest(guest.context, request.view())),
        answer_(guest.context, size_, guest.sqlite.answer) {}

  bool expect(Kind kind) {
    if (size_ == 0) return false;
    if (answer_.has(1) && answer_.peek() == '{') {
      throwAnswered(guest_, answer_);
      return false;
    }
    if (answer_.has(4) && answer_.u8() == kBinaryForm &&
        answer_.u8() == static_cast<std::uint8_t>(kind) && answer_.u8() == 0 && answer_.u8() == 0) {
      return true;
    }
    throwMalformedAnswer(guest_.context);
    return false;
  }
  AnswerReader& answer() noexcept { return answer_; }
  // The value, if nothing follows it.
  JSValue finish(JSValue value) {
    if (JS_IsException(value) || answer_.left() == 0) return value;
    JS_FreeValue(guest_.context, value);
    return throwMalformedAnswer(guest_.context);
  }

 private:
  Guest& guest_;
  const std::uint32_t size_;
  AnswerReader answer_;
};

JSValue runResult(Guest& guest, RowReader& reader, const ResultHead& head) {
  JSContext* const context = guest.context;
  const Sqlite& sqlite = guest.sqlite;
  Value result(context, JS_NewObject(context));
  if (result.isException() || !define(context, result, sqlite.rows, reader.readRows()) ||
      !define(context, result, sqlite.changes, newInteger(context, head.changes)) ||
      !define(context, result, sqlite.lastInsertRowid, newInteger(context, head.lastInsertRowid))) {
    return JS_EXCEPTION;
  }
  return result.take();
}

// While an exception is pending, which stays.
void closeCursor(Guest& guest, std::uint32_t cursor) {
  JSContext* const context = guest.context;
  if (cursor == 0) return;
  const JSValue pending = JS_GetException(context);
  {
    RequestWriter request(context, guest.sqlite.request);
    request.head(Method::Close, {}, 0, cursor);
    Exchange exchange(guest, request);
    if (!exchange.expect(Kind::Nothing)) JS_FreeValue(context, JS_GetException(context));
  }
  JS_Throw(context, pending);
}

JSValue cursorResult(Guest& guest, RowReader& reader, const ResultHead& head) {
  JSContext* const context = guest.context;
  Value result(context, JS_NewObject(context));
  if (result.isException() || !define(context, result, guest.sqlite.rows, reader.readRows()) ||
      !define(context, result, guest.sqlite.cursor, JS_NewUint32(context, head.cursor))) {
    // Nobody else knows the cursor.
    closeCursor(guest, head.cursor);
    return JS_EXCEPTION;
  }
  return result.take();
}

// One result, as the method that asked for it answers.
JSValue readResult(Guest& guest, AnswerReader& answer, const Statement& statement, Method method) {
  const bool isShaped = method != Method::Run && method != Method::Values;
  RowReader reader(guest.context, guest.sqlite.tools, answer, isShaped ? statement.rows : nullptr);
  ResultHead head;
  if (!reader.readHead(head)) return JS_EXCEPTION;
  switch (method) {
    case Method::Run:
      return runResult(guest, reader, head);
    case Method::Get:
      return reader.readRow();
    case Method::Iterate:
    case Method::Fetch:
      return cursorResult(guest, reader, head);
    default:
      return reader.readRows();
  }
}

// Whether the declared tables are where they have to be before the first query.
bool ready(Guest& guest) { return !guest.pushFirst || pushSchema(guest); }

// setErrorFactory(make)
JSValue setErrorFactory(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  if (!JS_IsFunction(context, arguments[0])) {
    return JS_ThrowTypeError(context, "the error factory must be a function");
  }
  Guest::of(context).sqlite.errorFactory = Value::share(context, arguments[0]);
  return JS_UNDEFINED;
}

// Its rows become what `given` says: a shape, or another statement whose rows are alike. False with
// an exception pending.
bool shapeRows(JSContext* context, Statement& statement, JSValueConst given) {
  if (JS_IsUndefined(given)) return true;
  if (JS_GetClassID(given) != statementClass) {
    statement.rows = &statement.shape;
    return statement.shape.compile(context, given);
  }
  const auto& other = *static_cast<const Statement*>(JS_GetOpaque(given, statementClass));
  statement.rows = other.rows;
  // The one that has the shape, so that there is never a chain of them.
  statement.like = JS_DupValue(context, JS_IsUndefined(other.like) ? given : other.like);
  return true;
}

// statement(sql, shape or statement?)
JSValue newStatement(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  JSRuntime* const runtime = JS_GetRuntime(context);
  void* const block = js_malloc(context, sizeof(Statement));
  if (block == nullptr) return JS_EXCEPTION;
  std::unique_ptr<Statement, FreeStatement> statement(new (block) Statement(runtime));
  const Text sql(context, arguments[0]);
  if (!sql.valid()) return JS_EXCEPTION;
  if (sql.view().size() > UINT32_MAX / 2) return JS_ThrowRangeError(context, "the SQL is too long");
  statement->sql = static_cast<char*>(js_malloc(context, sql.view().size() + 1));
  if (statement->sql == nullptr) return JS_EXCEPTION;
  statement->sqlSize = static_cast<std::uint32_t>(sql.view().copy(statement->sql, SIZE_MAX));
  if (!shapeRows(context, *statement, arguments[1])) return JS_EXCEPTION;
  const JSValue object = JS_NewObjectProtoClass(context, JS_NULL, statementClass);
  if (!JS_IsException(object)) JS_SetOpaque(object, statement.release());
  return object;
}

// run, all, values, get, iterate(statement, params, transaction)
JSValue execute(JSContext* context, JSValueConst, int, JSValueConst* arguments, int magic) {
  Guest& guest = Guest::of(context);
  const auto method = static_cast<Method>(magic);
  const Statement* const statement = statementOf(context, arguments[0]);
  std::uint32_t transaction = 0;
  if (statement == nullptr || !ready(guest) || !transactionFrom(guest, arguments[2], transaction)) {
    return JS_EXCEPTION;
  }
  std::optional<RequestWriter> request(std::in_place, context, guest.sqlite.request);
  request->head(method, {}, transaction, 0);
  if (!writeStatement(guest, *request, *statement, arguments[1])) return JS_EXCEPTION;
  Exchange exchange(guest, *request);
  // The host has read it: its memory can be had again before decoders run.
  request.reset();
  if (!exchange.expect(Kind::Rows)) return JS_EXCEPTION;
  return exchange.finish(readResult(guest, exchange.answer(), *statement, method));
}

// fetch(statement, cursor)
JSValue fetch(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  Guest& guest = Guest::of(context);
  const Statement* const statement = statementOf(context, arguments[0]);
  std::uint32_t cursor = 0;
  if (statement == nullptr || !ready(guest) ||
      !handleFrom(guest, arguments[1], "the cursor must be a number that iterate has answered",
                  cursor)) {
    return JS_EXCEPTION;
  }
  std::optional<RequestWriter> request(std::in_place, context, guest.sqlite.request);
  request->head(Method::Fetch, {}, 0, cursor);
  Exchange exchange(guest, *request);
  request.reset();
  if (!exchange.expect(Kind::Rows)) return JS_EXCEPTION;
  return exchange.finish(readResult(guest, exchange.answer(), *statement, Method::Fetch));
}

// A request of nothing but its head.
JSValue ask(Guest& guest, Method method, Behavior behavior, std::uint32_t transaction,
            std::uint32_t cursor) {
  RequestWriter request(guest.context, guest.sqlite.request);
  request.head(method, behavior, transaction, cursor);
  Exchange exchange(guest, request);
  if (method != Method::Begin) {
    return exchange.expect(Kind::Nothing) ? exchange.finish(JS_UNDEFINED) : JS_EXCEPTION;
  }
  if (!exchange.expect(Kind::Transaction)) return JS_EXCEPTION;
  if (!exchange.answer().has(4)) return throwMalformedAnswer(guest.context);
  return exchange.finish(JS_NewUint32(guest.context, exchange.answer().u32()));
}

// close(cursor)
JSValue close(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  Guest& guest = Guest::of(context);
  std::uint32_t cursor = 0;
  if (!ready(guest) ||
      !handleFrom(guest, arguments[0], "the cursor must be a number that iterate has answered",
                  cursor)) {
    return JS_EXCEPTION;
  }
  return ask(guest, Method::Close, {}, 0, cursor);
}

bool behaviorFrom(Guest& guest, JSValueConst value, Behavior& behavior) {
  if (JS_IsUndefined(value)) return true;
  const Text name(guest.context, value);
  if (!name.valid()) return false;
  if (name.view() == "immediate") return true;
  if (name.view() == "deferred") {
    behavior = Behavior::Deferred;
  } else if (name.view() == "exclusive") {
    behavior = Behavior::Exclusive;
  } else {
    throwInvalidRequest(guest, "there is no behavior \"" + std::string(name.view().substr(0, 100)) +
                                   "\"; there are deferred, immediate and exclusive");
    return false;
  }
  return true;
}

// begin(behavior, parent)
JSValue begin(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  Guest& guest = Guest::of(context);
  Behavior behavior = Behavior::Immediate;
  std::uint32_t parent = 0;
  if (!ready(guest) || !behaviorFrom(guest, arguments[0], behavior) ||
      !transactionFrom(guest, arguments[1], parent)) {
    return JS_EXCEPTION;
  }
  return ask(guest, Method::Begin, behavior, parent, 0);
}

// commit, rollback(transaction)
JSValue end(JSContext* context, JSValueConst, int, JSValueConst* arguments, int magic) {
  Guest& guest = Guest::of(context);
  std::uint32_t transaction = 0;
  if (!ready(guest) || !transactionFrom(guest, arguments[0], transaction)) return JS_EXCEPTION;
  return ask(guest, static_cast<Method>(magic), {}, transaction, 0);
}

// The statements of a batch and how each is asked for, kept while their results are read: what
// JavaScript gave may have been changed by then.
class Steps {
 public:
  explicit Steps(JSContext* context) noexcept : context_(context) {}
  Steps(const Steps&) = delete;
  Steps& operator=(const Steps&) = delete;
  ~Steps() {
    for (const Step& step : steps_) JS_FreeValue(context_, step.object);
    steps_.free(JS_GetRuntime(context_));
  }

  bool write(Guest& guest, RequestWriter& request, JSValueConst list, std::uint32_t count) {
    for (std::uint32_t index = 0; index < count; ++index) {
      const Value step(context_, JS_GetPropertyUint32(context_, list, index));
      if (step.isException() || !writeStep(guest, request, step.get(), index + 1)) return false;
    }
    return !request.failed();
  }
  JSValue read(Guest& guest, AnswerReader& answer) const {
    if (!answer.has(4) || answer.u32() != steps_.size()) return throwMalformedAnswer(context_);
    Value results(context_, JS_NewArray(context_));
    if (results.isException()) return JS_EXCEPTION;
    for (std::uint32_t index = 0; index < steps_.size(); ++index) {
      const Step& step = steps_[index];
      const JSValue result = readResult(guest, answer, *step.statement, step.method);
      if (JS_IsException(result) ||
          JS_DefinePropertyValueUint32(context_, results.get(), index, result, JS_PROP_C_W_E) < 0) {
        return JS_EXCEPTION;
      }
    }
    return results.take();
  }

 private:
  struct Step {
    JSValue object;
    const Statement* statement;
    Method method;
  };

  bool writeStep(Guest& guest, RequestWriter& request, JSValueConst step, std::uint32_t number) {
    Value object(context_, JS_GetPropertyUint32(context_, step, 0));
    const Value method(context_, JS_GetPropertyUint32(context_, step, 1));
    const Value params(context_, JS_GetPropertyUint32(context_, step, 2));
    std::uint32_t kind = 0;
    if (object.isException() || method.isException() || params.isException() ||
        JS_ToUint32(context_, &kind, method.get()) < 0) {
      return false;
    }
    const Statement* const statement = statementOf(context_, object.get());
    if (statement == nullptr) return false;
    if (kind > static_cast<std::uint32_t>(Method::Get)) {
      throwInvalidRequest(guest, "the steps of a batch are run, all, values and get", number);
      return false;
    }
    if (!steps_.add(context_, {object.get(), statement, static_cast<Method>(kind)})) return false;
    (void)object.take();
    const std::uint8_t head[4] = {static_cast<std::uint8_t>(kind), 0, 0, 0};
    request.bytes(head, sizeof head);
    return writeStatement(guest, request, *statement, params.get(), number);
  }

  JSContext* const context_;
  List<Step> steps_;
};

// batch(steps, transaction)
JSValue batch(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  Guest& guest = Guest::of(context);
  std::uint32_t transaction = 0;
  std::uint32_t count = 0;
  if (!ready(guest) || !transactionFrom(guest, arguments[1], transaction) ||
      !lengthOf(guest, arguments[0], count)) {
    return JS_EXCEPTION;
  }
  std::optional<RequestWriter> request(std::in_place, context, guest.sqlite.request);
  request->head(Method::Batch, {}, transaction, 0);
  request->u32(count);
  Steps steps(context);
  if (!steps.write(guest, *request, arguments[0], count)) return JS_EXCEPTION;
  Exchange exchange(guest, *request);
  request.reset();
  if (!exchange.expect(Kind::Batch)) return JS_EXCEPTION;
  return exchange.finish(steps.read(guest, exchange.answer()));
}

struct Function {
  const char* name;
  JSCFunction* call;
  int arguments;  // QuickJS fills in undefined for those that a caller leaves out.
};

constexpr Function kFunctions[] = {
    {"setErrorFactory", setErrorFactory, 1},
    {"statement", newStatement, 2},
    {"batch", batch, 2},
    {"fetch", fetch, 2},
    {"close", close, 1},
    {"begin", begin, 2},
};

struct MethodFunction {
  const char* name;
  JSCFunctionMagic* call;
  int arguments;
  Method method;
};

constexpr MethodFunction kMethodFunctions[] = {
    {"run", execute, 3, Method::Run},         {"all", execute, 3, Method::All},
    {"values", execute, 3, Method::Values},   {"get", execute, 3, Method::Get},
    {"iterate", execute, 3, Method::Iterate}, {"commit", end, 1, Method::Commit},
    {"rollback", end, 1, Method::Rollback},
};

void makeTools(Guest& guest) {
  JSContext* const context = guest.context;
  Sqlite& sqlite = guest.sqlite;
  sqlite.tools.stopRequested = &control.stopRequested;
  sqlite.tools.mapFromDriverValue = JS_NewAtom(context, "mapFromDriverValue");
  sqlite.length = JS_NewAtom(context, "length");
  sqlite.rows = JS_NewAtom(context, "rows");
  sqlite.cursor = JS_NewAtom(context, "cursor");
  sqlite.changes = JS_NewAtom(context, "changes");
  sqlite.lastInsertRowid = JS_NewAtom(context, "lastInsertRowid");
  sqlite.error = JS_NewAtom(context, "error");
  sqlite.code = JS_NewAtom(context, "code");
  sqlite.message = JS_NewAtom(context, "message");
  sqlite.step = JS_NewAtom(context, "step");
  JSValueConst noBytes[] = {JS_UNDEFINED, JS_UNDEFINED, JS_UNDEFINED};
  sqlite.uint8ArrayClass = JS_GetClassID(
      Value(context, JS_NewTypedArray(context, 0, noBytes, JS_TYPED_ARRAY_UINT8)).get());
  sqlite.dateClass = JS_GetClassID(Value(context, JS_NewDate(context, 0)).get());
  JS_ThrowSyntaxError(context, "to see its prototype");
  const Value error(context, JS_GetException(context));
  sqlite.tools.syntaxErrorPrototype = Value(context, JS_GetPrototype(context, error.get()));
}

}  // namespace

void defineSqlite(Guest& guest) {
  JSContext* const context = guest.context;
  JS_NewClassID(&statementClass);
  JS_NewClass(guest.runtime, statementClass, &kStatementClass);
  makeTools(guest);
  const JSValue object = JS_NewObject(context);
  constexpr int kFlags = JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE;
  for (const Function& function : kFunctions) {
    JS_DefinePropertyValueStr(
        context, object, function.name,
        JS_NewCFunction(context, function.call, function.name, function.arguments), kFlags);
  }
  for (const MethodFunction& function : kMethodFunctions) {
    JS_DefinePropertyValueStr(
        context, object, function.name,
        JS_NewCFunctionMagic(context, function.call, function.name, function.arguments,
                             JS_CFUNC_generic_magic, static_cast<int>(function.method)),
        kFlags);
  }
  const Value global(context, JS_GetGlobalObject(context));
  JS_DefinePropertyValueStr(context, global.get(), "__host_sqlite", object, kFlags);
}

void releaseSqlite(Guest& guest) {
  JSContext* const context = guest.context;
  Sqlite& sqlite = guest.sqlite;
  sqlite.errorFactory = Value();
  sqlite.tools.syntaxErrorPrototype = Value();
  for (JSAtom* const atom : {&sqlite.tools.mapFromDriverValue, &sqlite.length, &sqlite.rows,
                             &sqlite.cursor, &sqlite.changes, &sqlite.lastInsertRowid,
                             &sqlite.error, &sqlite.code, &sqlite.message, &sqlite.step}) {
    JS_FreeAtom(context, *atom);
    *atom = JS_ATOM_NULL;
  }
}

}  // namespace schemascript::guest
