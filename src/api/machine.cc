// The one engine of a process, and where its files are found.
#include <dlfcn.h>

#include <cstdlib>
#include <mutex>
#include <system_error>
#include <vector>

#include "api/parts.h"

namespace schemascript {
inline namespace v0 {
namespace {

namespace fs = std::filesystem;

constexpr char kVariable[] = "SCHEMASCRIPT_GUEST_FOLDER";

// Where the loader has this library, or the program that it is part of. Empty when nobody knows.
fs::path ownFolder() {
  Dl_info info{};
  static const char here = 0;
  if (::dladdr(&here, &info) == 0 || info.dli_fname == nullptr) return {};
  std::error_code failure;
  const fs::path file = fs::canonical(info.dli_fname, failure);
  return failure ? fs::path() : file.parent_path();
}

bool hasGuest(const fs::path& folder) {
  std::error_code ignored;
  for (const char* const name : {"guest.so", "park.so", "base.snapshot"}) {
    if (!fs::is_regular_file(folder / name, ignored)) return false;
  }
  return true;
}

// `folder` if the guest's files are in it, because `reason` says that they must be.
fs::path mustHaveGuest(const fs::path& folder, std::string_view reason) {
  std::error_code failure;
  const fs::path whole = fs::canonical(folder, failure);
  if (!failure && hasGuest(whole)) return whole;
  throw unavailable(str("guest.so, park.so and base.snapshot are not in ", folder.string(),
                        ", which ", reason, " names"));
}

// Guards the engine of the process. Held while one is made and while one ends, because both change
// the process's signal handlers.
std::mutex& machineMutex() {
  static std::mutex mutex;
  return mutex;
}

std::weak_ptr<Machine>& machineOfProcess() {
  static std::weak_ptr<Machine> machine;
  return machine;
}

void endMachine(Machine* machine) {
  const std::lock_guard lock(machineMutex());
  delete machine;
}

}  // namespace

fs::path findGuestFolder(const fs::path& wanted) {
  if (!wanted.empty()) return mustHaveGuest(wanted, "RuntimeOptions::guestFolder");
  // Not in a program that runs with more rights than whoever set the variable.
  const char* const variable = ::secure_getenv(kVariable);
  if (variable != nullptr && *variable != '\0') return mustHaveGuest(variable, kVariable);
  std::vector<fs::path> places;
  if (const fs::path own = ownFolder(); !own.empty()) places.push_back(own / "schemascript");
  places.push_back(fs::path(SCHEMASCRIPT_INSTALL_PREFIX) / "lib" / "schemascript");
  std::string looked;
  for (const fs::path& place : places) {
    std::error_code failure;
    if (hasGuest(place)) return fs::canonical(place, failure);
    looked += str(looked.empty() ? "" : ", ", place.string());
  }
  throw unavailable(str("guest.so, park.so and base.snapshot were not found in ", looked,
                        "; install SchemaScript, or name their folder with "
                        "RuntimeOptions::guestFolder or ",
                        kVariable));
}

std::shared_ptr<Machine> shareMachine(const fs::path& guestFolder) {
  // What is given up in here is destroyed after the lock, which its end takes.
  std::shared_ptr<Machine> machine;
  const std::lock_guard lock(machineMutex());
  machine = machineOfProcess().lock();
  if (!machine) {
    machine.reset(new Machine(guestFolder), endMachine);
    machineOfProcess() = machine;
  }
  if (machine->folder != guestFolder) {
    throw invalidRequest(str("this process has its guest from ", machine->folder.string(),
                             "; another Runtime cannot have one from ", guestFolder.string()));
  }
  return machine;
}

}  // namespace v0
}  // namespace schemascript
