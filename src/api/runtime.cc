// Runtime: the threads that serve calls, and what can be opened and loaded with it.
#include <algorithm>
#include <mutex>
#include <system_error>
#include <thread>

#include "api/parts.h"

namespace schemascript {
inline namespace v0 {
namespace {

namespace fs = std::filesystem;

thread_local bool onWorker = false;

unsigned threadsOf(const RuntimeOptions& options) {
  if (options.threads != 0) return options.threads;
  return std::max(1u, std::thread::hardware_concurrency());
}

// Where the app's snapshot is kept; empty: nowhere.
fs::path snapshotFile(const Machine& machine, const fs::path& cacheFolder, std::string_view bundle,
                      const AppOptions& options) {
  if (cacheFolder.empty()) return {};
  const fs::path folder = cacheFolder / "apps";
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure) return {};
  // Whether the file is of these inputs is checked again when it is read.
  Hasher hasher;
  hasher.add(machine.engine.identity());
  hasher.add(machine.engine.snapshot()->checksum());
  const Limits& limits = options.limits;
  for (const std::uint64_t limit :
       {limits.memoryBytesMax, limits.heapBytesMax, limits.stackBytesMax, limits.fuelMax}) {
    hasher.add(std::to_string(limit));
  }
  hasher.add(guestOptions(options.arguments, PushFirst::No));
  hasher.add(bundle);
  return folder / (hasher.hex() + ".snapshot");
}

}  // namespace

bool isOnWorker() noexcept { return onWorker; }
OnWorker::OnWorker() noexcept : before_(std::exchange(onWorker, true)) {}
OnWorker::~OnWorker() { onWorker = before_; }

void callLog(const LogSink& log, layers::LogStream stream, std::string_view text) {
  const OnWorker mark;
  try {
    log(publicStream(stream), text);
  } catch (const std::exception& error) {
    throw internal(str("the log threw: ", error.what()));
  } catch (...) {
    throw internal("the log threw");
  }
}

Runtime::Core::Core(const RuntimeOptions& options)
    : machine(shareMachine(findGuestFolder(options.guestFolder))),
      cacheFolder(options.cacheFolder),
      queueMax(options.queueMax),
      workers_(std::make_unique<Workers>(
          machine->watchdog, WorkersOptions{.threads = threadsOf(options),
                                            .queueMax = options.queueMax,
                                            .runningPerKeyMax = options.runningPerTenantMax,
                                            .waitingPerKeyMax = options.waitingPerTenantMax,
                                            .isolateBytesMax = options.isolateBytesMax})) {}

void Runtime::Core::post(Job job) {
  const std::shared_lock lock(mutex_);
  if (!workers_) throw unavailable("the Runtime of this app has ended");
  if (!workers_->tryPost(std::move(job))) {
    throw unavailable(str("the queue is full: as many calls wait as may, ", queueMax,
                          " (queueMax), or fewer of one tenant (waitingPerTenantMax)"));
  }
}

void Runtime::Core::close() {
  std::unique_ptr<Workers> workers;
  {
    const std::unique_lock lock(mutex_);
    workers = std::move(workers_);
  }
  if (workers) workers->drain();
}

Runtime::Runtime(const RuntimeOptions& options)
    : core_(translated([&] { return std::make_shared<Core>(options); })) {}

Runtime::Runtime(Runtime&&) noexcept = default;

Runtime& Runtime::operator=(Runtime&& other) noexcept {
  if (this != &other) {
    if (core_) core_->close();
    core_ = std::move(other.core_);
  }
  return *this;
}

Runtime::~Runtime() {
  if (core_) core_->close();
}

Database Runtime::open(const fs::path& file, const DatabaseOptions& options) const {
  if (file.empty()) {
    throw publicError(ErrorCode::InvalidRequest,
                      "the database has no file name; openInMemory() needs none");
  }
  return translated([&] {
    auto pool = std::make_shared<ConnectionPool>(
        layers::DatabaseOptions{.file = file,
                                .access = options.readOnly ? Access::ReadOnly : Access::ReadWrite,
                                .limits = options.limits});
    return Database(
        std::make_shared<const Database::Parts>(Database::Parts{file.string(), std::move(pool)}));
  });
}

Database Runtime::openInMemory(const DatabaseOptions& options) const {
  return translated([&] {
    auto pool = std::make_shared<ConnectionPool>(layers::DatabaseOptions{.limits = options.limits});
    return Database(std::make_shared<const Database::Parts>(
        Database::Parts{"the database in memory", std::move(pool)}));
  });
}

App Runtime::load(std::string_view bundle, const AppOptions& options) const {
  return translated([&] {
    layers::AppOptions layerOptions;
    layerOptions.limits = options.limits;
    layerOptions.arguments = options.arguments;
    layerOptions.snapshotFile = snapshotFile(*core_->machine, core_->cacheFolder, bundle, options);
    if (options.log) {
      layerOptions.log = [&options](layers::LogStream stream, std::string_view text) {
        callLog(options.log, stream, text);
      };
    }
    layers::App::Loaded loaded = layers::App::load(core_->machine->engine, core_->machine->watchdog,
                                                   bundle, std::move(layerOptions));
    if (!loaded.app) {
      throw publicError("the app's module", loaded.end, loaded.error, options.limits, {}, {});
    }
    return App(std::make_shared<const App::Parts>(
        App::Parts{core_, std::move(loaded.app), std::string(bundle), options, loaded.fromFile}));
  });
}

App Runtime::loadFile(const fs::path& file, const AppOptions& options) const {
  const std::string bundle = translated([&] { return readFile(file); });
  const fs::path type = file.extension();
  if (type == ".ts" || type == ".tsx" || type == ".mts") {
    throw publicError(ErrorCode::InvalidRequest,
                      str(file.string(),
                          " is TypeScript; make a bundle of it first: schemascript "
                          "bundle ",
                          file.string(), " --output ", file.stem().string(), ".js"));
  }
  return load(bundle, options);
}

fs::path Runtime::guestFolder() const { return core_->machine->folder; }

}  // namespace v0
}  // namespace schemascript
