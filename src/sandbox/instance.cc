#include "sandbox/instance.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "sandbox/compiled.h"
#include "sandbox/control-block.h"
#include "sandbox/host-calls.h"
#include "sandbox/wasmedge-api.h"

namespace schemascript {
namespace {

// What a guest that starts from nothing gets: its stack, its constants, and some heap to begin
// with.
constexpr std::uint32_t kFreshPages = 32;

WasmEdge_Value i32(std::uint32_t number) noexcept {
  return WasmEdge_ValueGenI32(std::bit_cast<std::int32_t>(number));
}

std::uint32_t u32(const WasmEdge_Value& value) noexcept {
  return std::bit_cast<std::uint32_t>(WasmEdge_ValueGetI32(value));
}

wasm::ModuleInstance newMemoryModule(std::uint32_t pagesMin, std::uint32_t pagesMax) {
  wasm::ModuleInstance module(WasmEdge_ModuleInstanceCreate(wasm::stringOf("env")));
  const wasm::MemoryType type = wasm::newMemoryType(pagesMin, pagesMax);
  auto* const memory = WasmEdge_MemoryInstanceCreate(type.get());
  if (!module || memory == nullptr) throw unavailable("no address space for another guest");
  WasmEdge_ModuleInstanceAddMemory(module.get(), wasm::stringOf("memory"), memory);
  return module;
}

}  // namespace

struct Instance::Parts {
  Parts(const Engine& engineOf, const Snapshot* snapshot, InstanceOptions given)
      : engine(engineOf),
        from(snapshot),
        options(std::move(given)),
        limits(options.limits),
        host{supervised, options.log, options.world},
        memoryModule(newMemoryModule(pagesMin(from), pagesMax(from, options.limits))),
        hostModule(newHostModule(host)),
        store(WasmEdge_StoreCreate()),
        executor(WasmEdge_ExecutorCreate(engine.compiled().configure.get(), nullptr)) {
    memory = WasmEdge_ModuleInstanceFindMemory(memoryModule.get(), wasm::stringOf("memory"));
    host.memory = memory;
    supervised.memory =
        reinterpret_cast<std::byte*>(WasmEdge_MemoryInstanceGetPointer(memory, 0, kWasmPageBytes));
    supervised.memoryBytesMax = pagesMax(from, options.limits) * kWasmPageBytes;
    supervised.interruptHost = [this] {
      if (host.session != nullptr) host.session->interrupt();
    };
    host.logBytesMax = limits.logBytesMax;
    instantiate();
    if (from == nullptr) {
      call("_initialize", {});
    } else {
      mapMemory();
      setGlobals(from->globals());
      findControl();
    }
  }

  void instantiate() {
    WasmEdge_ExecutorRegisterImport(executor.get(), store.get(), memoryModule.get());
    WasmEdge_ExecutorRegisterImport(executor.get(), store.get(), hostModule.get());
    WasmEdge_ModuleInstanceContext* raw = nullptr;
    const WasmEdge_Result result = WasmEdge_ExecutorInstantiate(executor.get(), &raw, store.get(),
                                                                engine.compiled().module.get());
    module.reset(raw);
    if (!WasmEdge_ResultOK(result)) {
      throw unavailable(
          str("a guest cannot be made (WasmEdge: ", WasmEdge_ResultGetMessage(result), ')'));
    }
  }

  static std::uint32_t pagesMin(const Snapshot* from) {
    return from == nullptr ? kFreshPages : from->pages();
  }

  static std::uint32_t pagesMax(const Snapshot* from, const Limits& limits) {
    const std::uint64_t pages = limits.memoryBytesMax / kWasmPageBytes;
    const std::uint32_t least = pagesMin(from);
    if (pages < least || pages > kMemory32PagesMax) {
      throw invalidRequest(str("memoryBytesMax is ", formatSize(limits.memoryBytesMax),
                               "; a guest takes at least ", formatSize(least * kWasmPageBytes),
                               " and at most 4gb"));
    }
    return static_cast<std::uint32_t>(pages);
  }

  std::uint64_t memoryBytes() const noexcept {
    return WasmEdge_MemoryInstanceGetPageSize(memory) * std::uint64_t{kWasmPageBytes};
  }

  WasmEdge_GlobalInstanceContext* stackPointer() const {
    auto* const global =
        WasmEdge_ModuleInstanceFindGlobal(module.get(), wasm::stringOf("__stack_pointer"));
    SS_CHECK(global != nullptr, "__stack_pointer");
    return global;
  }

  GuestGlobals globals() const { return {u32(WasmEdge_GlobalInstanceGetValue(stackPointer()))}; }

  void setGlobals(const GuestGlobals& globals) const {
    WasmEdge_GlobalInstanceSetValue(stackPointer(), i32(globals.stackPointer));
  }

  Snapshot snapshot(std::string_view inputs) const {
    const std::span<const std::byte> bytes(supervised.memory, memoryBytes());
    std::vector<PageRun> touched;
    // What the snapshot that it started from has, and what was written since.
    const PageRun start{0, from == nullptr ? bytes.size() : from->memoryBytes()};
    if (engine.compiled().pageMap.tryFindPrivate(bytes.subspan(start.bytes), touched)) {
      for (PageRun& run : touched) run.offset += start.bytes;
      touched.insert(touched.begin(), start);
    } else {
      touched = {{0, bytes.size()}};
    }
    return Snapshot(bytes, touched, globals(), inputs);
  }

  // All of it, as it is in the snapshot.
  void mapMemory() {
    from->mapOver(supervised.memory);
    makeStopWordPrivate();
    faultsWhenFound = {};
    resetsSinceMapped = 0;
  }

  enum class Way : std::uint8_t { Quickest, MapAnew };

  bool reset(Way way) {
    if (from == nullptr || ended || supervised.isCondemned() ||
        memoryBytes() != from->memoryBytes()) {
      return false;
    }
    resetMemory(way);
    setGlobals(from->globals());
    supervised.askedToStop = false;
    supervised.isCancelled = false;
    host.failure = nullptr;
    return true;
  }

  // What became private on a thread is not seen in the page faults of another.
  void noticeThread() noexcept {
    if (faultsWhenFound.thread != threadNumber()) faultsWhenFound = {};
  }

  // A page that was private stays so. Finding them takes longer than copying them, so that is only
  // done after the thread was given a page.
  void findWritten() {
    const PageFaults faults = pageFaultsSoFar();
    if (faults == faultsWhenFound) return;
    const std::span<const std::byte> bytes(supervised.memory, memoryBytes());
    if (!engine.compiled().pageMap.tryFindPrivate(bytes, written)) written = {{0, bytes.size()}};
    writtenBytes = 0;
    for (const PageRun& run : written) writtenBytes += run.bytes;
    faultsWhenFound = faults;
  }

  // All but what is private is the snapshot's, and comes back at the next access.
  void dropSharedPages() {
    findWritten();
    std::size_t at = 0;
    const auto dropUpTo = [this, &at](std::size_t end) {
      if (at < end) madvise(supervised.memory + at, end - at, MADV_DONTNEED);
    };
    for (const PageRun& run : written) {
      dropUpTo(run.offset);
      at = run.offset + run.bytes;
    }
    dropUpTo(memoryBytes());
  }

  // Whether a new mapping is better than copying. A page that was written once is copied after
  // every call, so all are forgotten when there are many more than after the first call that
  // followed a mapping; and now and then anyhow, less often when it did not help, because that
  // first call may have been a long one.
  bool isWorthMapping() noexcept {
    if (++resetsSinceMapped == 1) {
      writtenAtFirst = writtenBytes;
      const bool hasHelped = writtenAtFirst < writtenBefore / 2;
      resetsUntilMapped = hasHelped ? kResetsUntilMappedMin
                                    : std::min(2 * resetsUntilMapped, kResetsUntilMappedMax);
    }
    const bool hasGrown =
        resetsSinceMapped >= kResetsUntilMappedMin && writtenBytes / 2 > writtenAtFirst;
    const bool isDue = hasGrown || resetsSinceMapped >= resetsUntilMapped;
    if (isDue) writtenBefore = writtenBytes;
    return isDue || writtenBytes > kCopiedBytesMax;
  }

  void resetMemory(Way way) {
    if (way == Way::Quickest) findWritten();
    if (way == Way::Quickest && !isWorthMapping()) {
      for (const PageRun& run : written) from->copyBack(supervised.memory, run);
    } else {
      mapMemory();
    }
    if (options.resetCheck == ResetCheck::Yes) {
      const auto difference = from->firstDifference(supervised.memory);
      SS_CHECK(!difference, "a byte of the call before is left at ", *difference);
    }
  }

  void findControl() {
    const std::uint32_t offset = u32(call("ss_control", {}));
    auto* const bytes = WasmEdge_MemoryInstanceGetPointer(memory, offset, sizeof(ControlBlock));
    SS_CHECK(bytes != nullptr && offset % alignof(ControlBlock) == 0, offset);
    control = reinterpret_cast<ControlBlock*>(bytes);
    supervised.stopWord = &control->stopRequested;
    // Its page becomes private now, and through this thread: the watchdog writes to it from
    // another.
    *supervised.stopWord = 0;
  }

  // The watchdog writes to it from another thread, whose page faults nobody looks at: its page is
  // private before.
  void makeStopWordPrivate() const noexcept {
    if (supervised.stopWord != nullptr) *supervised.stopWord = 0;
  }

  // The guest takes them over where a call begins. Its page was private before.
  void writeLimits() const noexcept {
    if (control != nullptr) control->setLimits(limits);
  }

  Usage usage() noexcept {
    Usage usage;
    usage.logBytes = host.logBytes;
    usage.logTruncated = host.logBytes > host.logBytesMax;
    if (control == nullptr) return usage;
    // What the watchdog has taken away can be read again: nobody else looks at it any more.
    if (supervised.isCondemned() &&
        mprotect(supervised.memory, supervised.memoryBytesMax, PROT_READ) != 0) {
      return usage;
    }
    usage.heapPeakBytes = control->heapPeakBytes;
    std::int32_t counter = 0;
    const auto* const counterAt =
        WasmEdge_MemoryInstanceGetPointer(memory, control->fuelCounterAt, sizeof counter);
    if (counterAt != nullptr) std::memcpy(&counter, counterAt, sizeof counter);
    usage.fuel = control->fuelSpent(counter);
    return usage;
  }

  // An export that was looked up, which takes WasmEdge's locks, once.
  struct Export {
    std::string_view name;
    const WasmEdge_FunctionInstanceContext* function = nullptr;
    std::uint32_t resultCount = 0;
  };

  void find(Export& found) const {
    found.function = WasmEdge_ModuleInstanceFindFunction(module.get(), wasm::stringOf(found.name));
    SS_CHECK(found.function != nullptr, found.name);
    found.resultCount = WasmEdge_FunctionTypeGetReturnsLength(
        WasmEdge_FunctionInstanceGetFunctionType(found.function));
  }

  // For what is called once or twice.
  WasmEdge_Value call(std::string_view name, std::initializer_list<WasmEdge_Value> arguments) {
    Export once{name};
    return call(once, arguments);
  }

  // Calls an export. Throws when the guest cannot go on.
  WasmEdge_Value call(Export& called, std::initializer_list<WasmEdge_Value> arguments) {
    if (called.function == nullptr) find(called);
    const std::string_view name = called.name;
    SS_CHECK(!ended, name);
    noticeThread();
    ended = true;  // Unless it returns below.
    if (!supervised.enterGuest()) throw timeExceeded();
    std::array<WasmEdge_Value, 1> results{};
    const WasmEdge_Result result = WasmEdge_ExecutorInvoke(
        executor.get(), called.function, arguments.begin(),
        static_cast<std::uint32_t>(arguments.size()), results.data(), called.resultCount);
    const bool left = supervised.leaveGuest() || supervised.state.load() == GuestState::InHost;
    if (host.failure) std::rethrow_exception(std::exchange(host.failure, nullptr));
    if (supervised.isCondemned() || !left) throw timeExceeded();
    if (!WasmEdge_ResultOK(result)) {
      throw guestFailed(str("the guest trapped (", WasmEdge_ResultGetMessage(result),
                            "): it ran out of stack or memory"));
    }
    ended = false;
    return results[0];
  }

  LimitExceeded timeExceeded() const {
    return limitExceeded(str("the guest ran for longer than its time limit of ",
                             formatDuration(limits.runTimeMax), " (runTimeMax)"));
  }

  // Hands text over, in one piece with what may follow it. The guest owns the copy; what it is
  // given it frees or keeps.
  std::uint32_t give(std::string_view text, std::string_view more = {}) {
    const std::uint64_t size = std::uint64_t{text.size()} + more.size();
    const std::uint32_t first =
        size > kGivenBytesMax ? 0 : u32(call(allocate, {i32(static_cast<std::uint32_t>(size))}));
    auto* const bytes = first == 0 ? nullptr
                                   : WasmEdge_MemoryInstanceGetPointer(
                                         memory, first, static_cast<std::uint32_t>(size));
    if (bytes == nullptr && size != 0) {
      throw limitExceeded(str(formatSize(size), " of text do not fit into the guest's memory of ",
                              formatSize(options.limits.memoryBytesMax), " (memoryBytesMax)"));
    }
    std::ranges::copy(text, bytes);
    std::ranges::copy(more, bytes + text.size());
    return first;
  }

  // Calls an export with (pointer, length), and frees the text.
  WasmEdge_Value callWith(std::string_view name, std::string_view text) {
    Export once{name};
    return callWith(once, text);
  }

  WasmEdge_Value callWith(Export& called, std::string_view text) {
    const std::uint32_t first = give(text);
    const WasmEdge_Value result =
        call(called, {i32(first), i32(static_cast<std::uint32_t>(text.size()))});
    call(release, {i32(first)});
    return result;
  }

  // The same, for one that begins to run guest code.
  bool begin(Export& called, std::string_view text) {
    writeLimits();
    return u32(callWith(called, text)) != 0;
  }

  bool begin(std::string_view name, std::string_view text) {
    Export once{name};
    return begin(once, text);
  }

  // The text that an export names by pointer and length.
  std::string textFrom(Export& words) {
    const std::uint32_t at = u32(call(words, {}));
    const auto pointer = [this, &words](std::uint32_t offset, std::uint32_t size) {
      const auto* const bytes = WasmEdge_MemoryInstanceGetPointer(memory, offset, size);
      if (bytes == nullptr)
        throw guestFailed(str("what ", words.name, " names is not in the guest's memory"));
      return bytes;
    };
    std::array<std::uint32_t, 2> pair{};
    std::memcpy(pair.data(), pointer(at, sizeof pair), sizeof pair);
    if (pair[1] == 0) return {};
    return {reinterpret_cast<const char*>(pointer(pair[0], pair[1])), pair[1]};
  }

  std::string textFrom(std::string_view name) {
    Export words{name};
    return textFrom(words);
  }

  static constexpr std::uint64_t kMemory32PagesMax = 65536;
  static constexpr std::uint64_t kGivenBytesMax = 1u << 31;
  // Up to here it is quicker to copy pages back than to map them anew and to have them fault again.
  static constexpr std::size_t kCopiedBytesMax = 4u << 20;
  // A mapping costs as much as ten resets of a small guest.
  static constexpr std::uint32_t kResetsUntilMappedMin = 32;
  static constexpr std::uint32_t kResetsUntilMappedMax = 8192;

  const Engine& engine;
  const Snapshot* const from;
  const InstanceOptions options;
  Limits limits;
  Supervised supervised;
  HostContext host;
  // WasmEdge wants what a module imports to live longer than the module: the order of these
  // members.
  wasm::ModuleInstance memoryModule;
  wasm::ModuleInstance hostModule;
  WasmEdge_MemoryInstanceContext* memory = nullptr;
  wasm::Store store;
  wasm::Executor executor;
  wasm::ModuleInstance module;
  ControlBlock* control = nullptr;  // In linear memory; null before there is an engine in it.
  bool ended = false;
  // What every call of an app calls.
  Export allocate{"ss_allocate"};
  Export release{"ss_release"};
  Export callExport{"ss_call"};
  Export pollExport{"ss_poll"};
  Export resultWords{"ss_result"};
  Export resultKind{"ss_result_kind"};
  Export fetchExport{"ss_fetch"};
  Export nextExport{"ss_next"};
  Export responseWords{"ss_response"};
  Export wantsBodyExport{"ss_wants_body"};
  Export receiveExport{"ss_receive"};
  // The private pages of the memory, and the page faults that there had been when they were found.
  std::vector<PageRun> written;
  std::size_t writtenBytes = 0;
  std::size_t writtenAtFirst = 0;        // By the first call after a mapping.
  std::size_t writtenBefore = SIZE_MAX;  // The last mapping that was due.
  std::uint32_t resetsSinceMapped = 0;
  std::uint32_t resetsUntilMapped = kResetsUntilMappedMin;
  PageFaults faultsWhenFound;
};

Instance::Instance(const Engine& engine, const Snapshot* from, InstanceOptions options)
    : parts_(std::make_unique<Parts>(engine, from, std::move(options))) {}

Instance::~Instance() = default;

void Instance::restartClock() noexcept { parts_->host.begin = std::chrono::steady_clock::now(); }

void Instance::attach(Session* session) noexcept { parts_->host.session = session; }

void Instance::open() {
  parts_->call("ss_open", {});
  parts_->findControl();
  parts_->writeLimits();
}

void Instance::setLimits(const Limits& limits) noexcept {
  parts_->limits = limits;
  parts_->host.logBytesMax = limits.logBytesMax;
  parts_->host.logBytes = 0;
  parts_->host.logEndsLine = true;
}

Usage Instance::usage() noexcept { return parts_->usage(); }

void Instance::addModule(std::string_view name, std::string_view source) {
  const std::uint32_t nameAt = parts_->give(name);
  const std::uint32_t sourceAt = parts_->give(source);
  parts_->call("ss_module", {i32(nameAt), i32(static_cast<std::uint32_t>(name.size())),
                             i32(sourceAt), i32(static_cast<std::uint32_t>(source.size()))});
  parts_->call("ss_release", {i32(nameAt)});
  parts_->call("ss_release", {i32(sourceAt)});
}

bool Instance::seal() { return u32(parts_->call("ss_seal", {})) != 0; }

bool Instance::load(std::string_view bundle) { return parts_->begin("ss_load", bundle); }

void Instance::settle() { parts_->call("ss_settle", {}); }

void Instance::reserveMemory() {
  // One block of all that is left, and a little less until it succeeds: the allocator takes
  // something for its own account.
  std::uint64_t left = parts_->supervised.memoryBytesMax - memoryBytes();
  for (; left > kWasmPageBytes; left -= kWasmPageBytes) {
    const std::uint32_t block =
        u32(parts_->call("ss_allocate", {i32(static_cast<std::uint32_t>(left))}));
    if (block == 0) continue;
    parts_->call("ss_release", {i32(block)});
    return;
  }
}

Snapshot Instance::snapshot(std::string_view inputs) const { return parts_->snapshot(inputs); }

bool Instance::call(std::string_view name, std::string_view argument, Payload kind) {
  const auto nameSize = static_cast<std::uint32_t>(name.size());
  const std::uint32_t first = parts_->give(name, argument);
  parts_->writeLimits();
  const bool started =
      u32(parts_->call(parts_->callExport, {i32(first), i32(nameSize), i32(first + nameSize),
                                            i32(static_cast<std::uint32_t>(argument.size())),
                                            i32(static_cast<std::uint32_t>(kind))})) != 0;
  parts_->call(parts_->release, {i32(first)});
  return started;
}

bool Instance::setEnvironment(std::string_view json) {
  return u32(parts_->callWith("ss_env", json)) != 0;
}

bool Instance::fetch(std::string_view message) {
  return parts_->begin(parts_->fetchExport, message);
}

bool Instance::scheduled(std::string_view json) { return parts_->begin("ss_scheduled", json); }

bool Instance::next() { return u32(parts_->call(parts_->nextExport, {})) != 0; }

std::string Instance::response() { return parts_->textFrom(parts_->responseWords); }

bool Instance::wantsBody() { return u32(parts_->call(parts_->wantsBodyExport, {})) != 0; }

bool Instance::receive(std::string_view bytes, BodyState state) {
  const std::uint32_t first = parts_->give(bytes);
  const bool received = u32(parts_->call(parts_->receiveExport,
                                         {i32(first), i32(static_cast<std::uint32_t>(bytes.size())),
                                          i32(static_cast<std::uint32_t>(state))})) != 0;
  parts_->call(parts_->release, {i32(first)});
  return received;
}

std::string Instance::result() { return parts_->textFrom(parts_->resultWords); }

Payload Instance::resultKind() {
  return u32(parts_->call(parts_->resultKind, {})) == 0 ? Payload::Json : Payload::Bytes;
}

bool Instance::reset() { return parts_->reset(Parts::Way::Quickest); }

bool Instance::resetAndDrop() { return parts_->reset(Parts::Way::MapAnew); }

void Instance::dropSharedPages() { parts_->dropSharedPages(); }

bool Instance::start(std::string_view options) {
  return u32(parts_->callWith("ss_start", options)) != 0;
}

bool Instance::evaluate(std::string_view bundle) { return parts_->begin("ss_evaluate", bundle); }

Progress Instance::poll() {
  const double answer = WasmEdge_ValueGetF64(parts_->call(parts_->pollExport, {}));
  if (answer >= 0) {
    return {Progress::State::Waiting, std::chrono::duration<double, std::milli>(answer)};
  }
  if (answer == -1) return {Progress::State::Finished};
  if (answer == -3) return {Progress::State::NeverSettles};
  if (answer == -4) return {Progress::State::WantsBody};
  return {Progress::State::Failed};
}

bool Instance::push() { return u32(parts_->call("ss_push", {})) != 0; }

bool Instance::emit(std::string_view kind) { return u32(parts_->callWith("ss_emit", kind)) != 0; }

std::string Instance::emitted() { return parts_->textFrom("ss_emitted"); }

std::string Instance::failure() { return parts_->textFrom("ss_failure"); }

Supervised& Instance::supervised() noexcept { return parts_->supervised; }

std::uint64_t Instance::memoryBytes() const noexcept { return parts_->memoryBytes(); }

std::uint64_t Instance::privateBytes() {
  parts_->findWritten();
  return parts_->writtenBytes;
}

}  // namespace schemascript
