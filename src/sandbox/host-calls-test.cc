// The host functions against a guest that lies: a module whose exports pass their arguments
// straight on.
#include "sandbox/host-calls.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cstring>
#include <initializer_list>
#include <string>

#include "base/error.h"
#include "bridge/session.h"
#include "database/connection-pool.h"

namespace schemascript {
namespace {

// (module
//   (import "schemascript" "host_db_query" (func $q (param i32 i32) (result i32)))
//   (import "schemascript" "host_copy_result" (func $c (param i32 i32) (result i32)))
//   (import "schemascript" "host_log" (func $l (param i32 i32 i32)))
//   (import "schemascript" "host_random" (func $r (param i32 i32)))
//   (import "env" "memory" (memory 1))
//   (func (export "query") (param i32 i32) (result i32) local.get 0 local.get 1 call $q)
//   (func (export "copy") (param i32 i32) (result i32) local.get 0 local.get 1 call $c)
//   (func (export "log") (param i32 i32 i32) local.get 0 local.get 1 local.get 2 call $l)
//   (func (export "random") (param i32 i32) local.get 0 local.get 1 call $r))
constexpr std::uint8_t kForger[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x12, 0x03, 0x60, 0x02, 0x7f, 0x7f, 0x01,
    0x7f, 0x60, 0x03, 0x7f, 0x7f, 0x7f, 0x00, 0x60, 0x02, 0x7f, 0x7f, 0x00, 0x02, 0x7f, 0x05, 0x0c,
    0x73, 0x63, 0x68, 0x65, 0x6d, 0x61, 0x73, 0x63, 0x72, 0x69, 0x70, 0x74, 0x0d, 0x68, 0x6f, 0x73,
    0x74, 0x5f, 0x64, 0x62, 0x5f, 0x71, 0x75, 0x65, 0x72, 0x79, 0x00, 0x00, 0x0c, 0x73, 0x63, 0x68,
    0x65, 0x6d, 0x61, 0x73, 0x63, 0x72, 0x69, 0x70, 0x74, 0x10, 0x68, 0x6f, 0x73, 0x74, 0x5f, 0x63,
    0x6f, 0x70, 0x79, 0x5f, 0x72, 0x65, 0x73, 0x75, 0x6c, 0x74, 0x00, 0x00, 0x0c, 0x73, 0x63, 0x68,
    0x65, 0x6d, 0x61, 0x73, 0x63, 0x72, 0x69, 0x70, 0x74, 0x08, 0x68, 0x6f, 0x73, 0x74, 0x5f, 0x6c,
    0x6f, 0x67, 0x00, 0x01, 0x0c, 0x73, 0x63, 0x68, 0x65, 0x6d, 0x61, 0x73, 0x63, 0x72, 0x69, 0x70,
    0x74, 0x0b, 0x68, 0x6f, 0x73, 0x74, 0x5f, 0x72, 0x61, 0x6e, 0x64, 0x6f, 0x6d, 0x00, 0x02, 0x03,
    0x65, 0x6e, 0x76, 0x06, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 0x02, 0x00, 0x01, 0x03, 0x05, 0x04,
    0x00, 0x00, 0x01, 0x02, 0x07, 0x1f, 0x04, 0x05, 0x71, 0x75, 0x65, 0x72, 0x79, 0x00, 0x04, 0x04,
    0x63, 0x6f, 0x70, 0x79, 0x00, 0x05, 0x03, 0x6c, 0x6f, 0x67, 0x00, 0x06, 0x06, 0x72, 0x61, 0x6e,
    0x64, 0x6f, 0x6d, 0x00, 0x07, 0x0a, 0x27, 0x04, 0x08, 0x00, 0x20, 0x00, 0x20, 0x01, 0x10, 0x00,
    0x0b, 0x08, 0x00, 0x20, 0x00, 0x20, 0x01, 0x10, 0x01, 0x0b, 0x0a, 0x00, 0x20, 0x00, 0x20, 0x01,
    0x20, 0x02, 0x10, 0x02, 0x0b, 0x08, 0x00, 0x20, 0x00, 0x20, 0x01, 0x10, 0x03, 0x0b,
};

constexpr std::uint32_t kMemoryBytes = 64 * 1024;  // One page.

class HostCalls : public testing::Test {
 protected:
  HostCalls() {
    WasmEdge_LogOff();
    memoryModule_.reset(WasmEdge_ModuleInstanceCreate(wasm::stringOf("env")));
    const wasm::MemoryType type = wasm::newMemoryType(1, 1);
    auto* const memory = WasmEdge_MemoryInstanceCreate(type.get());
    WasmEdge_ModuleInstanceAddMemory(memoryModule_.get(), wasm::stringOf("memory"), memory);
    host_.memory = memory;
    hostModule_ = newHostModule(host_);
    WasmEdge_ExecutorRegisterImport(executor_.get(), store_.get(), memoryModule_.get());
    WasmEdge_ExecutorRegisterImport(executor_.get(), store_.get(), hostModule_.get());
    const wasm::Loader loader(WasmEdge_LoaderCreate(nullptr));
    WasmEdge_ASTModuleContext* module = nullptr;
    EXPECT_TRUE(WasmEdge_ResultOK(
        WasmEdge_LoaderParseFromBuffer(loader.get(), &module, kForger, sizeof kForger)));
    module_.reset(module);
    const wasm::Validator validator(WasmEdge_ValidatorCreate(nullptr));
    EXPECT_TRUE(WasmEdge_ResultOK(WasmEdge_ValidatorValidate(validator.get(), module)));
    WasmEdge_ModuleInstanceContext* instance = nullptr;
    EXPECT_TRUE(WasmEdge_ResultOK(
        WasmEdge_ExecutorInstantiate(executor_.get(), &instance, store_.get(), module)));
    instance_.reset(instance);
  }

  // What the function answered, or throws what it threw.
  std::uint32_t call(std::string_view name, std::initializer_list<std::uint32_t> words) {
    std::vector<WasmEdge_Value> arguments;
    for (const std::uint32_t word : words) {
      arguments.push_back(WasmEdge_ValueGenI32(std::bit_cast<std::int32_t>(word)));
    }
    const auto* const function =
        WasmEdge_ModuleInstanceFindFunction(instance_.get(), wasm::stringOf(name));
    EXPECT_TRUE(supervised_.enterGuest());
    WasmEdge_Value result{};
    const std::uint32_t results =
        WasmEdge_FunctionTypeGetReturnsLength(WasmEdge_FunctionInstanceGetFunctionType(function));
    const auto status =
        WasmEdge_ExecutorInvoke(executor_.get(), function, arguments.data(),
                                static_cast<std::uint32_t>(arguments.size()), &result, results);
    if (!WasmEdge_ResultOK(status)) {
      if (host_.failure) std::rethrow_exception(std::exchange(host_.failure, nullptr));
      throw internal("a trap without a reason");
    }
    EXPECT_TRUE(supervised_.leaveGuest());
    return std::bit_cast<std::uint32_t>(WasmEdge_ValueGetI32(result));
  }

  std::uint8_t* bytes(std::uint32_t at, std::uint32_t size) {
    return WasmEdge_MemoryInstanceGetPointer(host_.memory, at, size);
  }

  std::uint32_t put(std::uint32_t at, std::string_view text) {
    std::memcpy(bytes(at, static_cast<std::uint32_t>(text.size())), text.data(), text.size());
    return static_cast<std::uint32_t>(text.size());
  }

  std::string refusal(std::string_view name, std::initializer_list<std::uint32_t> words) {
    try {
      call(name, words);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::GuestFailed);
      // The host goes on: the guest's state is back where it was.
      EXPECT_EQ(supervised_.state.load(), GuestState::InHost);
      return error.message();
    }
    return "(accepted)";
  }

  ConnectionPool pool_{DatabaseOptions{}};
  Session session_{pool_, SessionOptions{}};
  Supervised supervised_;
  std::string written_;
  std::function<void(LogStream, std::string_view)> log_ = [this](LogStream stream,
                                                                 std::string_view text) {
    written_ += (stream == LogStream::Output ? "out:" : "err:") + std::string(text);
  };
  HostContext host_{supervised_, log_, World::Real, &session_};
  wasm::ModuleInstance memoryModule_;
  wasm::ModuleInstance hostModule_;
  wasm::Store store_{WasmEdge_StoreCreate()};
  wasm::Executor executor_{WasmEdge_ExecutorCreate(nullptr, nullptr)};
  wasm::Module module_;
  wasm::ModuleInstance instance_;
};

TEST_F(HostCalls, AnswerARequestInPieces) {
  const std::uint32_t size = put(16, R"({"sql": "select 42", "method": "get"})");
  const std::uint32_t answerSize = call("query", {16, size});
  std::string answer;
  for (;;) {
    const std::uint32_t copied = call("copy", {1024, 7});
    answer.append(reinterpret_cast<char*>(bytes(1024, 8)), copied);
    if (copied < 7) break;
  }
  EXPECT_EQ(answer.size(), answerSize);
  EXPECT_EQ(answer, R"({"rows":[42],"changes":0,"lastInsertRowid":0})");
  EXPECT_EQ(call("copy", {1024, 100}), 0u);
}

TEST_F(HostCalls, RefuseARequestOutsideOfMemory) {
  EXPECT_EQ(refusal("query", {kMemoryBytes - 4, 5}),
            "the guest named 5 bytes at 65532, which is outside of its memory");
  EXPECT_EQ(refusal("query", {0xFFFFFFFF, 2}),
            "the guest named 2 bytes at 4294967295, which is outside of its memory");
  EXPECT_NE(refusal("query", {0, 0xFFFFFFFF}).find("outside of its memory"), std::string::npos);
  EXPECT_NE(refusal("query", {0x80000000, 0x80000000}).find("outside of its memory"),
            std::string::npos);
}

TEST_F(HostCalls, TakeARequestThatEndsWithMemory) {
  const std::string_view request = R"({"sql":"select 1","method":"all"})";
  const auto at = kMemoryBytes - static_cast<std::uint32_t>(request.size());
  EXPECT_GT(call("query", {at, put(at, request)}), 0u);
}

TEST_F(HostCalls, AnswerAnEmptyAndASenselessRequest) {
  for (const std::string_view request : {"", "x", "{", "{}", "\0\0\0"}) {
    const std::uint32_t size = call("query", {8, put(8, request)});
    ASSERT_GT(size, 0u);
    call("copy", {1024, 4096});
    const std::string answer(reinterpret_cast<char*>(bytes(1024, size)), size);
    EXPECT_NE(answer.find(R"("code":"invalid-request")"), std::string::npos) << answer;
  }
}

TEST_F(HostCalls, RefuseToCopyOutsideOfMemory) {
  call("query", {16, put(16, R"({"sql": "select 42", "method": "get"})")});
  EXPECT_EQ(refusal("copy", {kMemoryBytes, 1}),
            "the guest named 1 bytes at 65536, which is outside of its memory");
}

TEST_F(HostCalls, WriteToTheTwoStreamsOnly) {
  put(0, "hello");
  call("log", {1, 0, 5});
  call("log", {2, 1, 4});
  call("log", {1, 0, 0});
  EXPECT_EQ(written_, "out:helloerr:ello");
  EXPECT_EQ(refusal("log", {3, 0, 5}), "the guest wrote to stream 3");
  EXPECT_EQ(refusal("log", {1, kMemoryBytes, 5}),
            "the guest named 5 bytes at 65536, which is outside of its memory");
}

TEST_F(HostCalls, DropWhatIsBeyondTheLimitOfTheLog) {
  const std::string end =
      "schemascript: the log ends here: what is written beyond 7b is dropped (logBytesMax)\n";
  host_.logBytesMax = 7;
  put(0, "hell\xC3\xB6!more");  // 12 bytes.
  call("log", {1, 0, 7});
  EXPECT_EQ(written_, "out:hell\xC3\xB6!");
  call("log", {1, 7, 1});
  EXPECT_EQ(written_, "out:hell\xC3\xB6!out:\n" + end);
  call("log", {2, 0, 11});
  EXPECT_EQ(written_, "out:hell\xC3\xB6!out:\n" + end);
  EXPECT_EQ(host_.logBytes, 19u);

  // Never half of a character, and nothing after it that would still fit.
  written_.clear();
  host_.logBytes = 0;
  host_.logEndsLine = true;
  host_.logBytesMax = 7;
  call("log", {1, 0, 2});
  put(0, "\n\xC3\xB6\xF0\x9F\x98\x80");
  call("log", {1, 0, 7});
  EXPECT_EQ(written_, "out:heout:\n\xC3\xB6out:\n" + end);
  call("log", {1, 0, 1});
  EXPECT_EQ(written_, "out:heout:\n\xC3\xB6out:\n" + end);
}

TEST_F(HostCalls, FillWithRandomBytesUpToTheLimit) {
  call("random", {0, 32});
  call("random", {32, 32});
  EXPECT_NE(std::memcmp(bytes(0, 32), bytes(32, 32), 32), 0);
  call("random", {0, kMemoryBytes});
  EXPECT_NE(refusal("random", {1, kMemoryBytes}).find("outside of its memory"), std::string::npos);
}

TEST_F(HostCalls, KeepWhatTheLogThrewForTheCaller) {
  log_ = [](LogStream, std::string_view) { throw unavailable("no room on the disk"); };
  put(0, "hello");
  EXPECT_THROW(call("log", {1, 0, 5}), Error);
}

TEST_F(HostCalls, StopACondemnedGuest) {
  ASSERT_TRUE(supervised_.enterGuest());
  supervised_.state = GuestState::Condemned;
  EXPECT_FALSE(supervised_.leaveGuest());
  EXPECT_FALSE(supervised_.enterGuest());
  EXPECT_TRUE(supervised_.isCondemned());
}

}  // namespace
}  // namespace schemascript
