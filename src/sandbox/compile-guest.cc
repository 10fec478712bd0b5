// Build tool: compiles a WebAssembly module ahead of time, into a shared object which the sandbox
// maps. What it compiles is the module as direct-calls.h rewrites it. The only program here that
// needs LLVM.
//
//   compile-guest guest.wasm guest.so     the guest
//   compile-guest --park park.so          the module that parks a thread (see engine.h)
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "sandbox/direct-calls.h"
#include "sandbox/wasmedge-api.h"

namespace schemascript {
namespace {

// (module (import "schemascript" "park" (func)) (func (export "park") call 0))
constexpr std::array<std::uint8_t, 59> kParkModule = {
    0x00, 'a',  's',  'm',  0x01, 0x00, 0x00, 0x00,                         // magic, version
    0x01, 0x04, 0x01, 0x60, 0x00, 0x00,                                     // type 0: () -> ()
    0x02, 0x15, 0x01, 12,   's',  'c',  'h',  'e',  'm',  'a',  's',  'c',  // import ...
    'r',  'i',  'p',  't',  4,    'p',  'a',  'r',  'k',  0x00, 0x00,       // ... function 0
    0x03, 0x02, 0x01, 0x00,                                                 // function 1: type 0
    0x07, 0x08, 0x01, 4,    'p',  'a',  'r',  'k',  0x00, 0x01,             // export function 1
    0x0a, 0x06, 0x01, 0x04, 0x00, 0x10, 0x00, 0x0b};                        // its body: call 0

using Compiler = wasm::Handle<WasmEdge_CompilerContext, WasmEdge_CompilerDelete>;

int report(const char* what, WasmEdge_Result result) {
  std::fprintf(stderr, "compile-guest: %s: %s\n", what, WasmEdge_ResultGetMessage(result));
  return 1;
}

std::vector<std::uint8_t> moduleOf(std::string_view input) {
  if (input == "--park") return {kParkModule.begin(), kParkModule.end()};
  const std::string file = readFile(std::string(input));
  return withDirectCalls({reinterpret_cast<const std::uint8_t*>(file.data()), file.size()});
}

int compile(const std::vector<std::uint8_t>& module, const char* output) {
  WasmEdge_LogSetErrorLevel();
  const wasm::Configure configure(WasmEdge_ConfigureCreate());
  WasmEdge_ConfigureCompilerSetOutputFormat(configure.get(), WasmEdge_CompilerOutputFormat_Native);
  WasmEdge_ConfigureCompilerSetOptimizationLevel(configure.get(),
                                                 WasmEdge_CompilerOptimizationLevel_O3);
  // And LLVMGetHostCPUFeatures() below.
  WasmEdge_ConfigureCompilerSetGenericBinary(configure.get(), true);
  const Compiler compiler(WasmEdge_CompilerCreate(configure.get()));
  if (!compiler) {
    std::fprintf(stderr, "compile-guest: this libwasmedge has no compiler in it\n");
    return 1;
  }
  const WasmEdge_Result result = WasmEdge_CompilerCompileFromBytes(
      compiler.get(), {static_cast<std::uint32_t>(module.size()), module.data()}, output);
  return WasmEdge_ResultOK(result) ? 0 : report(output, result);
}

}  // namespace
}  // namespace schemascript

// Code for every processor of the architecture: what was built on one machine has to run on
// another. WasmEdge 0.14 asks LLVM for a generic processor, but with all that this machine's has
// (llvm/ codegen.cpp hands LLVMGetHostCPUFeatures() to the target), AVX-512 for one. This
// definition comes before LLVM's, for all libraries of this
// program, which exports it. x86-64-v2 of the psABI:
// processors since 2009, and the roundings of WebAssembly as instructions. The names are LLVM's;
// whoever asks frees it.
extern "C" __attribute__((visibility("default"))) char* LLVMGetHostCPUFeatures() {
#if defined(__x86_64__)
  return ::strdup("+cx16,+sahf,+popcnt,+sse3,+ssse3,+sse4.1,+sse4.2");
#else
  return ::strdup("");
#endif
}

int main(int count, char** words) {
  if (count != 3) {
    std::fprintf(stderr, "usage: compile-guest (GUEST.wasm | --park) OUTPUT.so\n");
    return 2;
  }
  try {
    return schemascript::compile(schemascript::moduleOf(words[1]), words[2]);
  } catch (const schemascript::Error& error) {
    std::fprintf(stderr, "compile-guest: %s: %s\n", words[1], error.what());
    return 1;
  }
}
