// The guest's exports, which docs/protocol.md lists: the host makes the engine once, keeps what
// memory then holds as the base snapshot, and starts every app from a copy of it.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "allocator.h"
#include "bytes.h"
#include "control.h"
#include "fuel.h"
#include "guest.h"
#include "host.h"
#include "text.h"

#define SS_EXPORT(name) extern "C" __attribute__((export_name(#name)))

namespace schemascript::guest {
namespace {

// The app's module, as stacks name it: the host finds positions in it by this name.
constexpr char kAppName[] = "schemascript:app";
constexpr char kInternals[] = "schemascript/internal";
// What the engine may use at most of the module's stack of 1 MiB, which its own C functions need
// the rest of.
constexpr std::uint32_t kStackBytesMax = 896 * 1024;

// The only one; made by ss_open and never freed.
Guest* guest = nullptr;

void trackRejection(JSContext* context, JSValueConst promise, JSValueConst reason,
                    JS_BOOL isHandled, void*) {
  auto& rejections = guest->rejections;
  if (!isHandled) {
    rejections.push_back({Value::share(context, promise), Value::share(context, reason)});
    return;
  }
  const void* const handled = JS_VALUE_GET_PTR(promise);
  std::erase_if(rejections, [handled](const Rejection& rejection) {
    return JS_VALUE_GET_PTR(rejection.promise.get()) == handled;
  });
}

// The guest cannot go on after it. `error` is JSON; the first failure is the one that counts.
void reportFailure(std::string_view kind, std::string_view error) {
  if (!guest->failure.empty()) return;
  guest->failure = R"({"kind":")";
  guest->failure += kind;
  guest->failure += R"(","error":)";
  guest->failure += error;
  guest->failure += '}';
}

// A string as JSON; null for anything else. Runs no JavaScript.
std::string quote(const Value& text) {
  if (!JS_IsString(text.get())) return "null";
  const Text characters(guest->context, text.get());
  return characters.valid() ? quoteJson(characters.view()) : "null";
}

// Message and stack of an error, `{}` for what is none. A property that throws is left out.
std::string describePlainly(JSValueConst error) {
  JSContext* const context = guest->context;
  if (!JS_IsError(context, error)) return "{}";
  const auto member = [context, error](const char* name) {
    const Value value(context, JS_GetPropertyStr(context, error, name));
    if (value.isException()) JS_FreeValue(context, JS_GetException(context));
    return quote(value);
  };
  return R"({"message":)" + member("message") + R"(,"stack":)" + member("stack") + '}';
}

// What the built-in runtime says of an error, as JSON; while there is no runtime yet, message and
// stack. `{}` for undefined.
std::string describe(JSValueConst error) {
  JSContext* const context = guest->context;
  if (!guest->describeError.isUndefined() && !JS_IsUndefined(error)) {
    const Value json(context,
                     JS_Call(context, guest->describeError.get(), JS_UNDEFINED, 1, &error));
    const Text text(context, json.get());
    if (!json.isException() && text.valid()) return std::string(text.view());
    JS_FreeValue(context, JS_GetException(context));
    return "{}";
  }
  return describePlainly(error);
}

// The host has asked to stop, or there is no fuel. Runs no JavaScript: what is known is the error
// of the first interruption, which no guest code has had in its hands.
void failStopped() {
  JS_SetMemoryLimit(guest->runtime, SIZE_MAX);
  stopAtOnce();
  reportFailure(fuelIsExceeded() ? "fuel" : "stopped", describePlainly(guest->interruption.get()));
}

// Undefined: a failure of which nothing is known but its kind.
void fail(std::string_view kind, Value error) {
  JS_SetMemoryLimit(guest->runtime, SIZE_MAX);  // To describe what went wrong when memory ran out.
  const std::string description = describe(error.get());
  // The guest's own code may have told it, which costs fuel and time like any other.
  if (mustStop()) return failStopped();
  reportFailure(kind, description);
}

bool isOutOfMemory(JSValueConst error) {
  if (!allocationWasRefused()) return false;
  // What the engine throws where there is no memory for an error either.
  if (JS_IsNull(error)) return true;
  if (!JS_IsError(guest->context, error)) return false;
  JS_SetMemoryLimit(guest->runtime, SIZE_MAX);  // To look at it takes some, too.
  const Value message(guest->context, JS_GetPropertyStr(guest->context, error, "message"));
  const Text text(guest->context, message.get());
  if (text.valid()) return text.view() == "out of memory";
  JS_FreeValue(guest->context, JS_GetException(guest->context));
  return true;
}

void failWith(Value error) {
  if (mustStop()) {
    failStopped();
  } else if (isOutOfMemory(error.get())) {
    fail("memory", JS_IsNull(error.get()) ? Value() : std::move(error));
  } else if (error.isUndefined()) {
    reportFailure("error", R"({"name":"","message":"Uncaught undefined","stack":""})");
  } else {
    fail("error", std::move(error));
  }
}

void failWithException() {
  Value error(guest->context, JS_GetException(guest->context));
  failWith(std::move(error));
}

bool evaluationThrew() {
  return !guest->evaluation.isUndefined() &&
         JS_PromiseState(guest->context, guest->evaluation.get()) == JS_PROMISE_REJECTED;
}

// Fails with what ended the app's module, or else with the first rejection that nobody handled.
bool failIfRejected() {
  if (evaluationThrew()) {
    failWith(Value(guest->context, JS_PromiseResult(guest->context, guest->evaluation.get())));
  } else if (!guest->rejections.empty()) {
    failWith(std::move(guest->rejections.front().reason));
  }
  return !guest->failure.empty();
}

// Runs promise jobs to the end. False after a failure. One that was interrupted is the last: what
// it threw may be the reason of a promise, which guest code waits for.
bool runJobs() {
  for (;;) {
    if (fuelIsExceeded() || !guest->interruption.isUndefined()) {
      failStopped();
      return false;
    }
    JSContext* context = nullptr;
    const int status = JS_ExecutePendingJob(guest->runtime, &context);
    if (status < 0) {
      failWithException();
      return false;
    }
    if (status == 0) break;
  }
  if (mustStop()) failStopped();
  return guest->failure.empty() && !failIfRejected();
}

bool runTimers() {
  JSContext* const context = guest->context;
  const double now = guest->timers.empty() ? 0 : hostClock(Clock::Monotonic);
  while (auto callback = guest->timers.takeDue(context, now)) {
    const Value result(context, JS_Call(context, callback->get(), JS_UNDEFINED, 0, nullptr));
    if (result.isException()) {
      failWithException();
      return false;
    }
    if (!runJobs()) return false;
  }
  return true;
}

Value property(JSValueConst object, const char* name) {
  return Value(guest->context, JS_GetPropertyStr(guest->context, object, name));
}

// What is known about why nothing can go on, from the driver: a query may wait for a transaction
// that waits for it.
void failPending() {
  JSContext* const context = guest->context;
  const Value ask = property(guest->internals.get(), "pendingHint");
  const Value hint(context, JS_Call(context, ask.get(), JS_UNDEFINED, 0, nullptr));
  if (hint.isException()) JS_FreeValue(context, JS_GetException(context));
  if (fuelIsExceeded()) return failStopped();
  reportFailure("pending", JS_IsString(hint.get()) ? R"({"message":)" + quote(hint) + '}' : "{}");
}

// Hands the words after `--` to the package, which offers them as `args`.
bool setArguments(Value words) {
  const Value set = property(guest->internals.get(), "setArguments");
  JSValueConst arguments[] = {words.get()};
  return !Value(guest->context, JS_Call(guest->context, set.get(), JS_UNDEFINED, 1, arguments))
              .isException();
}

// What the host has written into the control block holds from now on.
void takeLimits() {
  JS_SetMemoryLimit(guest->runtime, control.heapBytesMax);
  JS_SetMaxStackSize(guest->runtime, std::min(kStackBytesMax, control.stackBytesMax));
  fillFuel();
}

bool start(std::string_view json) {
  JSContext* const context = guest->context;
  guest->isSeeded = false;
  const Value options(context, JS_ParseJSON(context, json.data(), json.size(), "options"));
  if (options.isException()) return false;
  guest->pushFirst = JS_ToBool(context, property(options.get(), "pushFirst").get()) != 0;
  for (const Value& callback : guest->startCallbacks) {
    if (Value(context, JS_Call(context, callback.get(), JS_UNDEFINED, 0, nullptr)).isException()) {
      return false;
    }
  }
  return setArguments(property(options.get(), "args"));
}

// Has an output made of the declared tables. False when it threw.
bool emit(std::string_view kind) {
  JSContext* const context = guest->context;
  const Value emitter = property(guest->internals.get(), "emitSchema");
  const Value name = newString(context, kind);
  JSValueConst arguments[] = {name.get()};
  const Value files(context, JS_Call(context, emitter.get(), JS_UNDEFINED, 1, arguments));
  if (files.isException()) return false;
  const Value json(context, JS_JSONStringify(context, files.get(), JS_UNDEFINED, JS_UNDEFINED));
  const Text text(context, json.get());
  if (json.isException() || !text.valid()) return false;
  guest->emitted = text.view();
  return true;
}

bool isPending() {
  return !guest->evaluation.isUndefined() &&
         JS_PromiseState(guest->context, guest->evaluation.get()) == JS_PROMISE_PENDING;
}

// Calls a function of the package that takes and answers nothing. False after a failure.
bool callInternal(const char* name) {
  const Value function = property(guest->internals.get(), name);
  if (!Value(guest->context, JS_Call(guest->context, function.get(), JS_UNDEFINED, 0, nullptr))
           .isException()) {
    return true;
  }
  failWithException();
  return false;
}

// Evaluates the app's module to its end and keeps what it exports. False after a failure.
bool load(const char* source, std::uint32_t size) {
  JSContext* const context = guest->context;
  Value module(context, JS_Eval(context, source, size, kAppName,
                                JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY));
  if (module.isException()) {
    failWithException();
    return false;
  }
  if (!callInternal("collectPrepared")) return false;
  auto* const definition = static_cast<JSModuleDef*>(JS_VALUE_GET_PTR(module.get()));
  guest->evaluation = Value(context, JS_EvalFunction(context, module.take()));
  if (guest->evaluation.isException()) {
    guest->evaluation = Value();
    failWithException();
    return false;
  }
  if (!runJobs()) return false;
  if (isPending()) {
    failPending();
    return false;
  }
  guest->evaluation = Value();
  guest->exports = Value(context, JS_GetModuleNamespace(context, definition));
  if (guest->exports.isException()) {
    failWithException();
    return false;
  }
  if (!callInternal("makePrepared")) return false;
  // What a snapshot holds of garbage, every call would carry along; collecting it may wake
  // finalizers.
  JS_RunGC(guest->runtime);
  return runJobs();
}

// The own property `name` of `object` if it is a function; undefined when it is not, an exception
// when finding out threw.
Value ownFunction(const Value& object, JSAtom name) {
  JSContext* const context = guest->context;
  if (!JS_IsObject(object.get())) return Value();
  const int has = JS_GetOwnProperty(context, nullptr, object.get(), name);
  if (has < 0) return Value(context, JS_EXCEPTION);
  if (has == 0) return Value();
  Value found(context, JS_GetProperty(context, object.get(), name));
  return found.isException() || JS_IsFunction(context, found.get()) ? std::move(found) : Value();
}

// A promise of what `called` comes to.
Value promiseOf(Value called) {
  JSContext* const context = guest->context;
  if (called.isException() || JS_PromiseState(context, called.get()) >= 0) return called;
  JSValue functions[2];
  Value promise(context, JS_NewPromiseCapability(context, functions));
  if (promise.isException()) return promise;
  const Value resolve(context, functions[0]);
  const Value reject(context, functions[1]);
  JSValueConst arguments[] = {called.get()};
  const Value done(context, JS_Call(context, resolve.get(), JS_UNDEFINED, 1, arguments));
  return done.isException() ? Value(context, JS_EXCEPTION) : std::move(promise);
}

// Forgets the call before this one, when the guest has kept its state since.
void forgetLastCall() {
  guest->result.reset();
  guest->resultBytes = Value();
  guest->failure.clear();
  guest->rejections.clear();
  guest->evaluation = Value();
  guest->interruption = Value();
  guest->keepAnswer = nullptr;
}

// What every call begins with.
void beginCall() {
  forgetLastCall();
  takeLimits();
  measureHeapPeak();
}

// More would only push what matters off a screen.
constexpr std::uint32_t kExportsShownMax = 100;

// Adds the names of `object`'s functions that are not there yet, each as JSON. What finding out
// throws is left out.
void addFunctionNames(const Value& object, std::vector<std::string>& names) {
  JSContext* const context = guest->context;
  JSPropertyEnum* properties = nullptr;
  std::uint32_t count = 0;
  if (!JS_IsObject(object.get())) return;
  if (JS_GetOwnPropertyNames(context, &properties, &count, object.get(), JS_GPN_STRING_MASK) < 0) {
    JS_FreeValue(context, JS_GetException(context));
    return;
  }
  for (std::uint32_t index = 0; index < count; ++index) {
    const JSAtom atom = properties[index].atom;
    if (names.size() < kExportsShownMax) {
      const Value function = ownFunction(object, atom);
      if (function.isException()) {
        JS_FreeValue(context, JS_GetException(context));
      } else if (!function.isUndefined()) {
        std::string quoted = quote(Value(context, JS_AtomToString(context, atom)));
        if (std::find(names.begin(), names.end(), quoted) == names.end()) {
          names.push_back(std::move(quoted));
        }
      }
    }
    JS_FreeAtom(context, atom);
  }
  js_free(context, properties);
}

// Fails because there is no `name`, and says what there is. `inside`: the app's default export.
void failMissing(std::string_view name, const Value& inside) {
  std::vector<std::string> names;
  addFunctionNames(guest->exports, names);
  if (!JS_IsFunction(guest->context, inside.get())) addFunctionNames(inside, names);
  std::string error =
      R"({"message":)" +
      quote(newString(guest->context, "the app exports no function " + std::string(name))) +
      R"(,"exports":[)";
  for (std::size_t index = 0; index < names.size(); ++index) {
    if (index > 0) error += ',';
    error += names[index];
  }
  reportFailure("missing", error + "]}");
}

// Finds the function that the app exports as `name`, in its module or else in its default export,
// which is then `receiver`. False after a failure.
bool findExported(std::string_view name, Value& function, Value& receiver) {
  JSContext* const context = guest->context;
  const JSAtom atom = JS_NewAtomLen(context, name.data(), name.size());
  function = ownFunction(guest->exports, atom);
  if (function.isUndefined() && JS_IsObject(guest->exports.get())) {
    receiver = property(guest->exports.get(), "default");
    function = receiver.isException() ? Value(context, JS_EXCEPTION) : ownFunction(receiver, atom);
  }
  JS_FreeAtom(context, atom);
  if (function.isException()) {
    failWithException();
    return false;
  }
  if (function.isUndefined()) {
    failMissing(name, receiver);
    return false;
  }
  return true;
}

// Waits for what a handler has come to. False after a failure.
bool await(Value called, bool (*keep)(Guest&, const Value&)) {
  guest->evaluation = promiseOf(std::move(called));
  if (guest->evaluation.isException()) {
    guest->evaluation = Value();
    failWithException();
    return false;
  }
  guest->keepAnswer = keep;
  return true;
}

// Keeps what a call answered: bytes, or else JSON. False when that threw.
bool keepAnswer(Guest& of, const Value& answered) {
  JSContext* const context = of.context;
  const JSClassID type = JS_IsObject(answered.get()) ? JS_GetClassID(answered.get()) : 0;
  if (type != 0 && (type == of.sqlite.uint8ArrayClass || type == of.arrayBufferClass)) {
    of.resultBytes = Value::share(context, answered.get());
    return true;
  }
  const Value json(context, JS_JSONStringify(context, answered.get(), JS_UNDEFINED, JS_UNDEFINED));
  if (json.isException()) return false;
  if (json.isUndefined()) return true;
  of.result.emplace(context, json.get());
  return of.result->valid();
}

// What the bytes of an argument or of an answer are.
enum class Payload : std::uint32_t { Json, Bytes };

Value newArgument(std::string_view payload, Payload kind) {
  JSContext* const context = guest->context;
  if (kind == Payload::Bytes) return Value(context, newUint8Array(context, payload));
  if (payload.empty()) return Value();
  return Value(context, JS_ParseJSON(context, payload.data(), payload.size(), "argument"));
}

// Calls an export of the app; ss_poll sees to its end. `payload` is followed by a zero byte, as the
// engine wants it. False after a failure.
bool call(std::string_view name, std::string_view payload, Payload kind) {
  JSContext* const context = guest->context;
  beginCall();
  const Value argument = newArgument(payload, kind);
  if (argument.isException()) {
    Value error(context, JS_GetException(context));
    if (kind == Payload::Bytes) {
      failWith(std::move(error));
    } else {
      fail("argument", std::move(error));
    }
    return false;
  }
  Value function;
  Value receiver;
  if (!findExported(name, function, receiver)) return false;
  JSValueConst arguments[] = {argument.get()};
  return await(Value(context, JS_Call(context, function.get(), receiver.get(),
                                      argument.isUndefined() ? 0 : 1, arguments)),
               keepAnswer);
}

// Finds a handler of the app's default export, which is then `receiver`. Unlike the functions that
// are called by name it may be inherited: routers are objects of classes. False after a failure.
bool findHandler(const char* name, Value& handler, Value& receiver) {
  JSContext* const context = guest->context;
  receiver = property(guest->exports.get(), "default");
  if (JS_IsObject(receiver.get())) handler = property(receiver.get(), name);
  if (receiver.isException() || handler.isException()) {
    failWithException();
    return false;
  }
  if (!JS_IsFunction(context, handler.get())) {
    const std::string message = "the app's default export has no function " + std::string(name);
    reportFailure("missing", R"({"message":)" + quote(newString(context, message)) + '}');
    return false;
  }
  return true;
}

bool serveFetch(std::string_view message) {
  beginCall();
  Value handler;
  Value receiver;
  return findHandler("fetch", handler, receiver) &&
         await(handleFetch(*guest, handler, receiver, message), keepHead);
}

bool serveScheduled(std::string_view json) {
  beginCall();
  Value handler;
  Value receiver;
  return findHandler("scheduled", handler, receiver) &&
         await(handleScheduled(*guest, handler, receiver, json),
               [](Guest& of, const Value&) { return keepRest(of); });
}

// The bytes that the call has answered; none when it has answered something else, or when they are
// gone.
std::string_view resultBytes() {
  JSContext* const context = guest->context;
  const JSValueConst result = guest->resultBytes.get();
  std::uint8_t* first = nullptr;
  std::size_t size = 0;
  bool found = !JS_IsUndefined(result);
  if (found && JS_GetClassID(result) == guest->arrayBufferClass) {
    first = JS_GetArrayBuffer(context, &size, result);
  } else if (found) {
    found = bytesOf(context, result, first, size);
  }
  if (first == nullptr || !found) {
    JS_FreeValue(context, JS_GetException(context));
    return {};
  }
  return {reinterpret_cast<const char*>(first), size};
}

bool callHasSettled() { return guest->keepAnswer != nullptr && !isPending(); }

// What the call has answered. False when that threw.
bool keepResult() {
  JSContext* const context = guest->context;
  const auto keep = std::exchange(guest->keepAnswer, nullptr);
  const Value result(context, JS_PromiseResult(context, guest->evaluation.get()));
  guest->evaluation = Value();
  return keep(*guest, result);
}

Progress endOfCall() {
  if (keepResult() && !fuelIsExceeded()) return Progress::Finished;
  guest->result.reset();
  failWithException();
  return Progress::Failed;
}

// Pointer and length of a text, as the host reads them. Valid until the next call.
const std::uint32_t* wordsOf(std::string_view text) {
  static std::uint32_t words[2];
  words[0] = reinterpret_cast<std::uint32_t>(text.data());
  words[1] = text.size();
  return words;
}

// Evaluates the modules in the order in which they were added.
bool seal() {
  JSContext* const context = guest->context;
  for (const std::string& name : guest->modules.names()) {
    const Value loaded(context, JS_LoadModule(context, "", name.c_str()));
    if (loaded.isException() || !runJobs()) return false;
    Value result(context, JS_PromiseResult(context, loaded.get()));
    if (JS_PromiseState(context, loaded.get()) != JS_PROMISE_FULFILLED) {
      failWith(std::move(result));
      return false;
    }
    if (name == kInternals) guest->internals = std::move(result);
  }
  guest->modules.dropSources();
  JS_RunGC(guest->runtime);
  return true;
}

// Every export begins with it: the engine measures its stack from here.
void enter() { JS_UpdateStackTop(guest->runtime); }

}  // namespace
}  // namespace schemascript::guest

using namespace schemascript::guest;

// One byte more, which is 0: the engine wants its sources to end so.
SS_EXPORT(ss_allocate) char* ss_allocate(std::uint32_t size) {
  if (size == UINT32_MAX) return nullptr;
  auto* const block = static_cast<char*>(std::malloc(size + 1));
  if (block != nullptr) block[size] = 0;
  return block;
}

SS_EXPORT(ss_release) void ss_release(char* block) { std::free(block); }

SS_EXPORT(ss_open) void ss_open() {
  guest = new Guest;
  guest->runtime = newRuntime();
  JS_SetMaxStackSize(guest->runtime, kStackBytesMax);
  guest->context = JS_NewContext(guest->runtime);
  JS_SetContextOpaque(guest->context, guest);
  attachFuel(guest->context);
  JS_SetHostPromiseRejectionTracker(guest->runtime, trackRejection, nullptr);
  guest->modules.install(guest->runtime);
  const std::uint8_t none = 0;
  guest->arrayBufferClass =
      JS_GetClassID(Value(guest->context, JS_NewArrayBufferCopy(guest->context, &none, 0)).get());
  defineGlobals(*guest);
}

SS_EXPORT(ss_module)
void ss_module(const char* name, std::uint32_t nameSize, const char* source, std::uint32_t size) {
  guest->modules.add({name, nameSize}, {source, size});
}

SS_EXPORT(ss_seal) std::uint32_t ss_seal() {
  enter();
  return seal() ? 1 : 0;
}

SS_EXPORT(ss_start) std::uint32_t ss_start(const char* options, std::uint32_t size) {
  enter();
  if (start({options, size})) return 1;
  failWithException();
  return 0;
}

SS_EXPORT(ss_evaluate) std::uint32_t ss_evaluate(const char* source, std::uint32_t size) {
  enter();
  takeLimits();
  guest->evaluation =
      Value(guest->context, JS_Eval(guest->context, source, size, kAppName, JS_EVAL_TYPE_MODULE));
  if (!guest->evaluation.isException()) return 1;
  guest->evaluation = Value();
  failWithException();
  return 0;
}

SS_EXPORT(ss_load) std::uint32_t ss_load(const char* source, std::uint32_t size) {
  enter();
  takeLimits();
  guest->stage = Guest::Stage::Loading;
  const bool loaded = load(source, size);
  guest->stage = Guest::Stage::Running;
  return loaded ? 1 : 0;
}

SS_EXPORT(ss_settle) void ss_settle() { giveUpGaps(); }

SS_EXPORT(ss_call)
std::uint32_t ss_call(const char* name, std::uint32_t nameSize, const char* argument,
                      std::uint32_t argumentSize, Payload kind) {
  enter();
  return call({name, nameSize}, {argument, argumentSize}, kind) ? 1 : 0;
}

SS_EXPORT(ss_result) const std::uint32_t* ss_result() {
  return wordsOf(guest->result ? guest->result->view() : resultBytes());
}

SS_EXPORT(ss_result_kind) Payload ss_result_kind() {
  return guest->resultBytes.isUndefined() ? Payload::Json : Payload::Bytes;
}

SS_EXPORT(ss_env) std::uint32_t ss_env(const char* json, std::uint32_t size) {
  enter();
  if (setEnvironment(*guest, {json, size})) return 1;
  failWithException();
  return 0;
}

SS_EXPORT(ss_fetch) std::uint32_t ss_fetch(const char* message, std::uint32_t size) {
  enter();
  return serveFetch({message, size}) ? 1 : 0;
}

SS_EXPORT(ss_scheduled) std::uint32_t ss_scheduled(const char* json, std::uint32_t size) {
  enter();
  return serveScheduled({json, size}) ? 1 : 0;
}

SS_EXPORT(ss_receive)
std::uint32_t ss_receive(const char* bytes, std::uint32_t size, std::uint32_t state) {
  enter();
  if (!receiveBody(*guest, {bytes, size}, state).isException()) return 1;
  failWithException();
  return 0;
}

SS_EXPORT(ss_wants_body) std::uint32_t ss_wants_body() { return guest->server.wantsBody ? 1 : 0; }

SS_EXPORT(ss_next) std::uint32_t ss_next() {
  enter();
  return await(nextPiece(*guest), keepPiece) ? 1 : 0;
}

SS_EXPORT(ss_response) const std::uint32_t* ss_response() {
  return wordsOf(guest->server.response);
}

SS_EXPORT(ss_poll) double ss_poll() {
  enter();
  const auto answer = [](Progress progress) { return static_cast<double>(progress); };
  if (!guest->failure.empty() || !runJobs()) return answer(Progress::Failed);
  if (callHasSettled()) return answer(endOfCall());
  if (!runTimers()) return answer(Progress::Failed);
  if (callHasSettled()) return answer(endOfCall());
  if (guest->timers.hasReferenced()) {
    return std::max(0.0, guest->timers.nextDue() - hostClock(Clock::Monotonic));
  }
  if (isPending()) {
    if (guest->server.wantsBody) return answer(Progress::WantsBody);
    failPending();
    return answer(Progress::NeverSettles);
  }
  return answer(Progress::Finished);
}

SS_EXPORT(ss_push) std::uint32_t ss_push() {
  enter();
  if ((!guest->pushFirst || pushSchema(*guest)) && !fuelIsExceeded()) return 1;
  failWithException();
  return 0;
}

SS_EXPORT(ss_emit) std::uint32_t ss_emit(const char* kind, std::uint32_t size) {
  enter();
  if (emit({kind, size}) && !fuelIsExceeded()) return 1;
  failWithException();
  return 0;
}

SS_EXPORT(ss_emitted) const std::uint32_t* ss_emitted() { return wordsOf(guest->emitted); }

SS_EXPORT(ss_failure) const std::uint32_t* ss_failure() { return wordsOf(guest->failure); }

SS_EXPORT(ss_control) Control* ss_control() { return &control; }
