// wasi-libc's way to the system, without a system. The functions here take the place of the WASI
// imports, so that the module imports none: the clock is the host's, and there are no files,
// environment or arguments. Signatures: wasi-libc's <wasi/api.h>; numbers: the errno values of WASI
// preview 1.
#include <cstdint>

#include "host.h"

namespace {
constexpr std::int32_t kSuccess = 0;
constexpr std::int32_t kBadFile = 8;        // __WASI_ERRNO_BADF
constexpr std::int32_t kNotSupported = 58;  // __WASI_ERRNO_NOTSUP
}  // namespace

extern "C" {

std::int32_t __imported_wasi_snapshot_preview1_clock_time_get(std::int32_t clock, std::int64_t,
                                                              std::int32_t result) {
  using schemascript::guest::Clock;
  const double milliseconds =
      schemascript::guest::hostClock(clock == 0 ? Clock::Wall : Clock::Monotonic);
  *reinterpret_cast<std::uint64_t*>(result) = static_cast<std::uint64_t>(milliseconds * 1e6);
  return kSuccess;
}

std::int32_t __imported_wasi_snapshot_preview1_fd_close(std::int32_t) { return kBadFile; }
std::int32_t __imported_wasi_snapshot_preview1_fd_fdstat_get(std::int32_t, std::int32_t) {
  return kBadFile;
}
std::int32_t __imported_wasi_snapshot_preview1_fd_seek(std::int32_t, std::int64_t, std::int32_t,
                                                       std::int32_t) {
  return kBadFile;
}
// QuickJS prints nothing but diagnostics that are compiled in for debugging; they would end here.
std::int32_t __imported_wasi_snapshot_preview1_fd_write(std::int32_t, std::int32_t, std::int32_t,
                                                        std::int32_t) {
  return kNotSupported;
}
[[noreturn]] void __imported_wasi_snapshot_preview1_proc_exit(std::int32_t) { __builtin_trap(); }

}  // extern "C"
