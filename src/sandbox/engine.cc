#include "sandbox/engine.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <exception>
#include <future>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "sandbox/compiled.h"
#include "sandbox/wasmedge-api.h"

namespace schemascript {
namespace {

#if defined(__x86_64__)
constexpr std::string_view kArchitecture = "x86_64";
#elif defined(__aarch64__)
constexpr std::string_view kArchitecture = "aarch64";
#else
#error "WasmEdge compiles for x86_64 and aarch64"
#endif

// Names one build of the guest, and what runs it: enough to notice that files of two builds were
// mixed, without reading all of it at every start.
std::string identityOf(const std::string& path) {
  constexpr off_t kPartBytes = 64 * 1024;
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status{};
  if (!file.isOpen() || fstat(file.get(), &status) != 0) {
    throw unavailable(str("the compiled guest ", path, " cannot be read: ", std::strerror(errno)));
  }
  Hasher hasher;
  hasher.add(WasmEdge_VersionGet());
  hasher.add(kArchitecture);
  hasher.add(std::to_string(status.st_size));
  std::vector<char> part(kPartBytes);
  for (const off_t offset : {off_t{0}, std::max<off_t>(0, status.st_size - kPartBytes)}) {
    const ssize_t size = pread(file.get(), part.data(), part.size(), offset);
    if (size > 0) hasher.add({part.data(), static_cast<std::size_t>(size)});
  }
  return hasher.hex();
}

wasm::Module load(WasmEdge_ConfigureContext* configure, const std::string& path) {
  const wasm::Loader loader(WasmEdge_LoaderCreate(configure));
  WasmEdge_ASTModuleContext* raw = nullptr;
  WasmEdge_Result result = WasmEdge_LoaderParseFromFile(loader.get(), &raw, path.c_str());
  wasm::Module module(raw);
  if (WasmEdge_ResultOK(result)) {
    const wasm::Validator validator(WasmEdge_ValidatorCreate(configure));
    result = WasmEdge_ValidatorValidate(validator.get(), raw);
  }
  if (!WasmEdge_ResultOK(result)) {
    throw unavailable(str("the compiled guest ", path, " cannot be loaded (WasmEdge: ",
                          WasmEdge_ResultGetMessage(result), "); build SchemaScript again"));
  }
  return module;
}

wasm::Configure newConfigure() {
  WasmEdge_LogOff();  // Every failure is reported by whoever called.
  wasm::Configure configure(WasmEdge_ConfigureCreate());
  wasm::preferCompiledCode(configure.get());
  return configure;
}

}  // namespace

EngineFiles EngineFiles::in(const std::string& folder) {
  return {folder + "/guest.so", folder + "/park.so", folder + "/base.snapshot"};
}

class Engine::Parking {
 public:
  Parking(WasmEdge_ConfigureContext* configure, const std::string& path)
      : module_(load(configure, path)), thread_([this, configure] { park(configure); }) {
    const bool parked = parked_.get_future().get();
    if (!parked) {
      thread_.join();
      throw unavailable(str("the module ", path, " cannot be run; build SchemaScript again"));
    }
    // WasmEdge has registered its handlers and will not touch them again while that thread is
    // parked.
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE}) {
      struct sigaction action{};
      sigaction(signal, nullptr, &action);
      action.sa_flags |= SA_ONSTACK;
      sigaction(signal, &action, nullptr);
    }
  }

  ~Parking() {
    release_.set_value();
    thread_.join();
  }

 private:
  static WasmEdge_Result wait(void* data, const WasmEdge_CallingFrameContext*,
                              const WasmEdge_Value*, WasmEdge_Value*) noexcept {
    auto& self = *static_cast<Parking*>(data);
    self.parked_.set_value(true);
    self.release_.get_future().wait();
    return WasmEdge_Result_Success;
  }

  void park(WasmEdge_ConfigureContext* configure) {
    const wasm::ModuleInstance imports(
        WasmEdge_ModuleInstanceCreate(wasm::stringOf("schemascript")));
    const wasm::FunctionType type(WasmEdge_FunctionTypeCreate(nullptr, 0, nullptr, 0));
    WasmEdge_ModuleInstanceAddFunction(imports.get(), wasm::stringOf("park"),
                                       WasmEdge_FunctionInstanceCreate(type.get(), wait, this, 0));
    const wasm::Store store(WasmEdge_StoreCreate());
    const wasm::Executor executor(WasmEdge_ExecutorCreate(configure, nullptr));
    WasmEdge_ExecutorRegisterImport(executor.get(), store.get(), imports.get());
    WasmEdge_ModuleInstanceContext* raw = nullptr;
    const bool ready = WasmEdge_ResultOK(
        WasmEdge_ExecutorInstantiate(executor.get(), &raw, store.get(), module_.get()));
    const wasm::ModuleInstance instance(raw);
    if (ready) {
      const auto* const function = WasmEdge_ModuleInstanceFindFunction(raw, wasm::stringOf("park"));
      WasmEdge_ExecutorInvoke(executor.get(), function, nullptr, 0, nullptr, 0);
    } else {
      parked_.set_value(false);
    }
  }

  wasm::Module module_;
  std::promise<bool> parked_;
  std::promise<void> release_;
  std::thread thread_;  // The last member: it uses the others from its start.
};

Engine::Engine(const EngineFiles& files) : compiled_(std::make_unique<Compiled>()) {
  compiled_->configure = newConfigure();
  compiled_->identity = identityOf(files.guest);
  compiled_->module = load(compiled_->configure.get(), files.guest);
  if (!files.snapshot.empty()) {
    snapshot_ = std::make_unique<Snapshot>(files.snapshot, compiled_->identity);
  }
  parking_ = std::make_unique<Parking>(compiled_->configure.get(), files.park);
}

Engine::~Engine() = default;

const std::string& Engine::identity() const noexcept { return compiled_->identity; }

namespace {

// QuickJS's limit on its own stack counts linear memory; the native stack that compiled code uses
// meanwhile is several times that. Only the pages that are touched take memory.
constexpr std::size_t kNativeStackBytes = 64ull << 20;
// Frames of compiled code are large; none may step over the guard.
constexpr std::size_t kGuardBytes = 1ull << 20;
constexpr std::size_t kSignalStackBytes = 64ull << 10;

// For as long as it lives, handlers of signals run on a stack of their own.
class SignalStack {
 public:
  SignalStack() : bytes_(kSignalStackBytes) {
    stack_t stack{};
    stack.ss_sp = bytes_.data();
    stack.ss_size = bytes_.size();
    sigaltstack(&stack, &before_);
  }
  ~SignalStack() { sigaltstack(&before_, nullptr); }
  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;

 private:
  std::vector<char> bytes_;
  stack_t before_{};
};

void* runOnGuestThread(void* work) {
  const SignalStack signalStack;
  (*static_cast<const std::function<void()>*>(work))();
  return nullptr;
}

}  // namespace

GuestThread::GuestThread(std::function<void()> work) : work_(std::move(work)) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kNativeStackBytes);
  pthread_attr_setguardsize(&attributes, kGuardBytes);
  const int status = pthread_create(&thread_, &attributes, runOnGuestThread,
                                    const_cast<std::function<void()>*>(&work_));
  pthread_attr_destroy(&attributes);
  if (status != 0) throw unavailable(str("no thread for a guest: ", std::strerror(status)));
}

GuestThread::~GuestThread() { pthread_join(thread_, nullptr); }

void GuestThread::runErased(void (*call)(void*), void* work) {
  std::exception_ptr failure;
  {
    const GuestThread thread([call, work, &failure] {
      try {
        call(work);
      } catch (...) {
        failure = std::current_exception();
      }
    });
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace schemascript
