// The compiled guest itself: what it imports is the whole attack surface, and docs/protocol.md
// lists it.
#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

#include "sandbox/wasmedge-api.h"

namespace schemascript {
namespace {

std::string textOf(const WasmEdge_String& text) { return {text.Buf, text.Length}; }

class GuestModule : public testing::Test {
 protected:
  GuestModule() {
    const wasm::Loader loader(WasmEdge_LoaderCreate(nullptr));
    WasmEdge_ASTModuleContext* module = nullptr;
    EXPECT_TRUE(WasmEdge_ResultOK(WasmEdge_LoaderParseFromFile(
        loader.get(), &module, SCHEMASCRIPT_GUEST_FOLDER "/guest.wasm")));
    module_.reset(module);
  }

  wasm::Module module_;
};

TEST_F(GuestModule, ImportsWhatIsDocumentedAndNothingElse) {
  std::array<const WasmEdge_ImportTypeContext*, 64> imports{};
  const std::uint32_t count =
      WasmEdge_ASTModuleListImports(module_.get(), imports.data(), imports.size());
  ASSERT_LE(count, imports.size());
  std::set<std::string> names;
  for (std::uint32_t index = 0; index < count; ++index) {
    names.insert(textOf(WasmEdge_ImportTypeGetModuleName(imports[index])) + '.' +
                 textOf(WasmEdge_ImportTypeGetExternalName(imports[index])));
  }
  EXPECT_EQ(names,
            (std::set<std::string>{"env.memory", "schemascript.host_clock",
                                   "schemascript.host_copy_result", "schemascript.host_db_query",
                                   "schemascript.host_log", "schemascript.host_random"}));
}

TEST_F(GuestModule, ExportsWhatIsDocumentedAndNothingElse) {
  std::array<const WasmEdge_ExportTypeContext*, 64> exports{};
  const std::uint32_t count =
      WasmEdge_ASTModuleListExports(module_.get(), exports.data(), exports.size());
  ASSERT_LE(count, exports.size());
  std::set<std::string> names;
  for (std::uint32_t index = 0; index < count; ++index) {
    names.insert(textOf(WasmEdge_ExportTypeGetExternalName(exports[index])));
  }
  EXPECT_EQ(names,
            (std::set<std::string>{
                "__stack_pointer", "_initialize",    "ss_allocate",  "ss_call",     "ss_control",
                "ss_emit",         "ss_emitted",     "ss_env",       "ss_evaluate", "ss_failure",
                "ss_fetch",        "ss_load",        "ss_module",    "ss_next",     "ss_open",
                "ss_poll",         "ss_push",        "ss_receive",   "ss_release",  "ss_response",
                "ss_result",       "ss_result_kind", "ss_scheduled", "ss_seal",     "ss_settle",
                "ss_start",        "ss_wants_body"}));
}

}  // namespace
}  // namespace schemascript
