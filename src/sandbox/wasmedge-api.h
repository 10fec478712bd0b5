// WasmEdge's C API, 0.14 and 0.17: owners for its handles, and the few calls whose shape differs
// between the two.
#pragma once

#include <wasmedge/wasmedge.h>

#include <cstdint>
#include <memory>
#include <string_view>

namespace schemascript::wasm {

// One owner for each kind of handle.
template <auto Delete>
struct Deleter {
  template <typename Context>
  void operator()(Context* context) const noexcept {
    Delete(context);
  }
};
template <typename Context, auto Delete>
using Handle = std::unique_ptr<Context, Deleter<Delete>>;

using Configure = Handle<WasmEdge_ConfigureContext, WasmEdge_ConfigureDelete>;
using Loader = Handle<WasmEdge_LoaderContext, WasmEdge_LoaderDelete>;
using Validator = Handle<WasmEdge_ValidatorContext, WasmEdge_ValidatorDelete>;
using Module = Handle<WasmEdge_ASTModuleContext, WasmEdge_ASTModuleDelete>;
using Executor = Handle<WasmEdge_ExecutorContext, WasmEdge_ExecutorDelete>;
using Store = Handle<WasmEdge_StoreContext, WasmEdge_StoreDelete>;
using ModuleInstance = Handle<WasmEdge_ModuleInstanceContext, WasmEdge_ModuleInstanceDelete>;
using FunctionType = Handle<WasmEdge_FunctionTypeContext, WasmEdge_FunctionTypeDelete>;
using MemoryType = Handle<WasmEdge_MemoryTypeContext, WasmEdge_MemoryTypeDelete>;

// 0.15 and 0.16 never reached Debian; they are taken for what followed them.
#define SS_WASMEDGE_0_14 (WASMEDGE_VERSION_MAJOR == 0 && WASMEDGE_VERSION_MINOR <= 14)

// Valid as long as the characters of `text` are.
inline WasmEdge_String stringOf(std::string_view text) noexcept {
  return WasmEdge_StringWrap(text.data(), static_cast<std::uint32_t>(text.size()));
}

// Null when WasmEdge refuses the limits. In pages of 64 KiB.
inline MemoryType newMemoryType(std::uint32_t pagesMin, std::uint32_t pagesMax) noexcept {
#if SS_WASMEDGE_0_14
  return MemoryType(WasmEdge_MemoryTypeCreate(
      WasmEdge_Limit{.HasMax = true, .Shared = false, .Min = pagesMin, .Max = pagesMax}));
#else
  Handle<WasmEdge_LimitContext, WasmEdge_LimitDelete> limit(
      WasmEdge_LimitCreateWithMax(pagesMin, pagesMax, false, false));
  return MemoryType(WasmEdge_MemoryTypeCreate(limit.get()));
#endif
}

// Version 0.14 runs compiled code wherever it finds some; later ones have to be told.
inline void preferCompiledCode([[maybe_unused]] WasmEdge_ConfigureContext* configure) noexcept {
#if !SS_WASMEDGE_0_14
  WasmEdge_ConfigureSetRunMode(configure, WasmEdge_RunMode_AOT);
#endif
}

}  // namespace schemascript::wasm
