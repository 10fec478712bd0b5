#include "sandbox/host-calls.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <span>

#include "base/error.h"
#include "base/units.h"

namespace schemascript {
namespace {

constexpr std::uint32_t kRandomBytesMax = 65536;

std::uint32_t u32(const WasmEdge_Value& value) noexcept {
  return std::bit_cast<std::uint32_t>(WasmEdge_ValueGetI32(value));
}

WasmEdge_Value valueOf(std::uint32_t number) noexcept {
  return WasmEdge_ValueGenI32(std::bit_cast<std::int32_t>(number));
}

// The one check of what the guest names: a range is inside of the memory as it is now, or the guest
// ends. Valid until the guest runs again.
std::span<std::byte> guestRange(const HostContext& context, const WasmEdge_Value& first,
                                const WasmEdge_Value& size) {
  if (u32(size) == 0) return {};
  auto* const bytes = WasmEdge_MemoryInstanceGetPointer(context.memory, u32(first), u32(size));
  if (bytes == nullptr) {
    throw guestFailed(str("the guest named ", u32(size), " bytes at ", u32(first),
                          ", which is outside of its memory"));
  }
  return {reinterpret_cast<std::byte*>(bytes), u32(size)};
}

void dbQuery(HostContext& context, const WasmEdge_Value* in, WasmEdge_Value* out) {
  const auto request = guestRange(context, in[0], in[1]);
  SS_CHECK(context.session != nullptr, "a query without a session");
  try {
    out[0] = valueOf(context.session->query(request));
  } catch (const Error& error) {
    // The watchdog interrupted it, and has asked the guest to stop: let it do so, since it can say
    // where it was.
    if (error.code() != ErrorCode::LimitExceeded || !context.supervised.askedToStop) throw;
    out[0] = valueOf(0);
  }
}

void copyResult(HostContext& context, const WasmEdge_Value* in, WasmEdge_Value* out) {
  SS_CHECK(context.session != nullptr, "an answer without a session");
  out[0] = valueOf(context.session->copyResult(guestRange(context, in[0], in[1])));
}

// The longest beginning of `text`, of at most `bytesMax`, that does not end inside of a character.
std::string_view beginningOf(std::string_view text, std::uint64_t bytesMax) {
  if (text.size() <= bytesMax) return text;
  auto size = static_cast<std::size_t>(bytesMax);
  const auto continues = [text](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
  };
  while (size != 0 && continues(size)) --size;
  return text.substr(0, size);
}

// What exceeds the limit is dropped, after a line that says so.
void writeToLog(HostContext& context, LogStream stream, std::string_view text) {
  const std::uint64_t before = context.logBytes;
  context.logBytes += text.size();
  if (before > context.logBytesMax || !context.log) return;
  const std::string_view kept = beginningOf(text, context.logBytesMax - before);
  if (!kept.empty()) {
    context.log(stream, kept);
    context.logEndsLine = kept.back() == '\n';
  }
  if (kept.size() == text.size()) return;
  context.log(stream, str(context.logEndsLine ? "" : "\n",
                          "schemascript: the log ends here: what is written beyond ",
                          formatSize(context.logBytesMax), " is dropped (logBytesMax)\n"));
}

void log(HostContext& context, const WasmEdge_Value* in, WasmEdge_Value*) {
  const auto text = guestRange(context, in[1], in[2]);
  const std::uint32_t stream = u32(in[0]);
  if (stream != 1 && stream != 2) throw guestFailed(str("the guest wrote to stream ", stream));
  writeToLog(context, static_cast<LogStream>(stream),
             {reinterpret_cast<const char*>(text.data()), text.size()});
}

void clock(HostContext& context, const WasmEdge_Value* in, WasmEdge_Value* out) {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  const Milliseconds now = u32(in[0]) == 0
                               ? Milliseconds(std::chrono::system_clock::now().time_since_epoch())
                               : Milliseconds(std::chrono::steady_clock::now() - context.begin);
  out[0] = WasmEdge_ValueGenF64(context.world == World::Frozen ? 0 : now.count());
}

void random(HostContext& context, const WasmEdge_Value* in, WasmEdge_Value*) {
  const auto range = guestRange(context, in[0], in[1]);
  if (range.size() > kRandomBytesMax) {
    throw guestFailed(str("the guest asked for ", range.size(), " random bytes at a time"));
  }
  if (context.world == World::Frozen) {
    std::ranges::fill(range, std::byte{0});
    return;
  }
  for (std::size_t filled = 0; filled < range.size();) {
    const ssize_t more = getrandom(range.data() + filled, range.size() - filled, 0);
    if (more < 0 && errno == EINTR) continue;
    SS_CHECK(more > 0, "getrandom");
    filled += static_cast<std::size_t>(more);
  }
}

using Body = void (*)(HostContext&, const WasmEdge_Value*, WasmEdge_Value*);

// The seam: no exception passes WasmEdge's frames, and the guest is known to be in the host
// meanwhile.
template <Body body>
WasmEdge_Result call(void* data, const WasmEdge_CallingFrameContext*, const WasmEdge_Value* in,
                     WasmEdge_Value* out) noexcept {
  auto& context = *static_cast<HostContext*>(data);
  if (!context.supervised.leaveGuest()) return WasmEdge_Result_Fail;
  try {
    body(context, in, out);
  } catch (...) {
    context.failure = std::current_exception();
    return WasmEdge_Result_Fail;
  }
  return context.supervised.enterGuest() ? WasmEdge_Result_Success : WasmEdge_Result_Fail;
}

using Types = std::span<const WasmEdge_ValType>;

// `module` becomes the owner of the function.
void addFunction(WasmEdge_ModuleInstanceContext* module, std::string_view name, Types in, Types out,
                 WasmEdge_HostFunc_t function, void* data) {
  const wasm::FunctionType type(
      WasmEdge_FunctionTypeCreate(in.data(), static_cast<std::uint32_t>(in.size()), out.data(),
                                  static_cast<std::uint32_t>(out.size())));
  WasmEdge_ModuleInstanceAddFunction(
      module, wasm::stringOf(name), WasmEdge_FunctionInstanceCreate(type.get(), function, data, 0));
}

}  // namespace

wasm::ModuleInstance newHostModule(HostContext& context) {
  wasm::ModuleInstance module(WasmEdge_ModuleInstanceCreate(wasm::stringOf("schemascript")));
  if (!module) return module;
  const auto i32 = WasmEdge_ValTypeGenI32();
  const std::array threeI32{i32, i32, i32};
  const std::array oneF64{WasmEdge_ValTypeGenF64()};
  const Types numbers(threeI32);
  const auto add = [&](std::string_view name, Types in, Types out, WasmEdge_HostFunc_t function) {
    addFunction(module.get(), name, in, out, function, &context);
  };
  add("host_db_query", numbers.first(2), numbers.first(1), call<dbQuery>);
  add("host_copy_result", numbers.first(2), numbers.first(1), call<copyResult>);
  add("host_log", numbers.first(3), {}, call<log>);
  add("host_clock", numbers.first(1), oneF64, call<clock>);
  add("host_random", numbers.first(2), {}, call<random>);
  return module;
}

}  // namespace schemascript
