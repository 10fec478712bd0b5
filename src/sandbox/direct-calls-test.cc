// The rewriting of calls through the table: modules that are put together here byte by byte do the
// same before and after it, in WasmEdge's interpreter, and the guest stays a guest.
#include "sandbox/direct-calls.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "sandbox/wasmedge-api.h"

namespace schemascript {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint8_t kCallIndirect = 0x11;

Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

Bytes textBytes(std::string_view text) { return {text.begin(), text.end()}; }

// With its size in front; everything here is shorter than 128 bytes.
Bytes sized(const Bytes& content) {
  return joined({{static_cast<std::uint8_t>(content.size())}, content});
}

Bytes section(std::uint8_t id, const Bytes& content) { return joined({{id}, sized(content)}); }

// A function without locals; `instructions` are without the last `end`.
Bytes body(const Bytes& instructions) { return sized(joined({{0}, instructions, {0x0b}})); }

const Bytes kHeader = {0, 'a', 's', 'm', 1, 0, 0, 0};

// The parts of a module, to be replaced one by one. As it stands it has the table
//
//     0 and 5: empty   1: add (type 0)   2: subtract (type 3, which says the same as 0)
//     3: negate (type 1)   4: add again
//
// and exports binary(a, b, slot), unary(a, slot), and nothing(slot) of a type that no slot has.
struct Parts {
  Bytes types = {5,                                      //
                 0x60, 2, 0x7f, 0x7f, 1,    0x7f,        // 0: (i32, i32) -> i32
                 0x60, 1, 0x7f, 1,    0x7f,              // 1: i32 -> i32
                 0x60, 3, 0x7f, 0x7f, 0x7f, 1,    0x7f,  // 2: (i32, i32, i32) -> i32
                 0x60, 2, 0x7f, 0x7f, 1,    0x7f,        // 3: as 0
                 0x60, 0, 0};                            // 4: () -> ()
  Bytes imports{};
  Bytes functions = {6, 0, 3, 1, 2, 0, 1};
  Bytes table = {1, 0x70, 1, 6, 6};
  Bytes exports = joined({{3},
                          sized(textBytes("binary")),
                          {0, 3},
                          sized(textBytes("unary")),
                          {0, 4},
                          sized(textBytes("nothing")),
                          {0, 5}});
  Bytes elements = {2, 0, 0x41, 1, 0x0b, 3, 0, 1, 2, 0, 0x41, 4, 0x0b, 1, 0};
  Bytes add = {0x20, 0, 0x20, 1, 0x6a};
  Bytes subtract = {0x20, 0, 0x20, 1, 0x6b};
  Bytes negate = {0x41, 0, 0x20, 0, 0x6b};
  Bytes binary = {0x20, 0, 0x20, 1, 0x20, 2, kCallIndirect, 0, 0};
  Bytes unary = {0x20, 0, 0x20, 1, kCallIndirect, 1, 0};
  Bytes nothing = {0x20, 0, kCallIndirect, 4, 0, 0x20, 0};
  Bytes last{};  // Sections behind the code.

  Bytes module() const {
    return joined({kHeader, section(1, types), imports.empty() ? Bytes{} : section(2, imports),
                   section(3, functions), table.empty() ? Bytes{} : section(4, table),
                   section(7, exports), elements.empty() ? Bytes{} : section(9, elements),
                   section(10, joined({{6},
                                       body(add),
                                       body(subtract),
                                       body(negate),
                                       body(binary),
                                       body(unary),
                                       body(nothing)})),
                   last});
  }
};

struct Outcome {
  std::uint32_t code = 0;  // WasmEdge's; 0 when there is a value.
  std::int32_t value = 0;

  bool operator==(const Outcome&) const = default;
};

// A module in WasmEdge's interpreter. EXPECTs that it is valid.
class Interpreted {
 public:
  explicit Interpreted(const Bytes& module) {
    WasmEdge_LogOff();
    const wasm::Loader loader(WasmEdge_LoaderCreate(nullptr));
    WasmEdge_ASTModuleContext* raw = nullptr;
    EXPECT_TRUE(WasmEdge_ResultOK(WasmEdge_LoaderParseFromBuffer(
        loader.get(), &raw, module.data(), static_cast<std::uint32_t>(module.size()))));
    module_.reset(raw);
    const wasm::Validator validator(WasmEdge_ValidatorCreate(nullptr));
    EXPECT_TRUE(WasmEdge_ResultOK(WasmEdge_ValidatorValidate(validator.get(), raw)));
    WasmEdge_ModuleInstanceContext* instance = nullptr;
    EXPECT_TRUE(WasmEdge_ResultOK(
        WasmEdge_ExecutorInstantiate(executor_.get(), &instance, store_.get(), raw)));
    instance_.reset(instance);
  }

  Outcome call(const char* name, std::initializer_list<std::int32_t> arguments) {
    const auto* function =
        WasmEdge_ModuleInstanceFindFunction(instance_.get(), wasm::stringOf(name));
    std::vector<WasmEdge_Value> in;
    for (const std::int32_t argument : arguments) in.push_back(WasmEdge_ValueGenI32(argument));
    WasmEdge_Value out = WasmEdge_ValueGenI32(0);
    const WasmEdge_Result result = WasmEdge_ExecutorInvoke(
        executor_.get(), function, in.data(), static_cast<std::uint32_t>(in.size()), &out, 1);
    if (!WasmEdge_ResultOK(result)) return {WasmEdge_ResultGetCode(result), 0};
    return {0, WasmEdge_ValueGetI32(out)};
  }

 private:
  wasm::Module module_;
  wasm::Store store_{WasmEdge_StoreCreate()};
  wasm::Executor executor_{WasmEdge_ExecutorCreate(nullptr, nullptr)};
  wasm::ModuleInstance instance_;
};

// What withDirectCalls() says against it.
std::string refusalOf(const Bytes& module) {
  try {
    withDirectCalls(module);
    return "nothing";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::InvalidRequest);
    return error.message();
  }
}

bool holds(const Bytes& all, const Bytes& part) { return !std::ranges::search(all, part).empty(); }

TEST(DirectCalls, CallWhatTheTableHolds) {
  Interpreted rewritten(withDirectCalls(Parts().module()));
  EXPECT_EQ(rewritten.call("binary", {7, 2, 1}), (Outcome{0, 9}));
  EXPECT_EQ(rewritten.call("binary", {7, 2, 2}), (Outcome{0, 5}));
  EXPECT_EQ(rewritten.call("binary", {7, 2, 4}), (Outcome{0, 9}));
  EXPECT_EQ(rewritten.call("unary", {7, 3}), (Outcome{0, -7}));
}

TEST(DirectCalls, TrapAsTheCallsDidThatStoodThere) {
  Interpreted original(Parts().module());
  Interpreted rewritten(withDirectCalls(Parts().module()));
  std::vector<std::uint32_t> codes;
  for (const std::int32_t slot : {-2147483647 - 1, -1, 0, 1, 2, 3, 4, 5, 6, 7, 100, 2147483647}) {
    for (const char* name : {"binary", "unary", "nothing"}) {
      const auto outcome = [&](Interpreted& interpreted) {
        if (name == std::string_view("binary")) return interpreted.call(name, {1, 2, slot});
        if (name == std::string_view("unary")) return interpreted.call(name, {1, slot});
        return interpreted.call(name, {slot});
      };
      const Outcome before = outcome(original);
      EXPECT_EQ(outcome(rewritten), before) << name << ' ' << slot;
      codes.push_back(before.code);
    }
  }
  for (const auto code : {WasmEdge_ErrCode_UndefinedElement, WasmEdge_ErrCode_UninitializedElement,
                          WasmEdge_ErrCode_IndirectCallTypeMismatch}) {
    EXPECT_NE(std::ranges::find(codes, static_cast<std::uint32_t>(code)), codes.end()) << code;
  }
}

TEST(DirectCalls, StandWhereTheIndirectOnesStood) {
  const Parts parts;
  const Bytes rewritten = withDirectCalls(parts.module());
  for (const Bytes& indirect : {parts.binary, parts.unary, parts.nothing}) {
    EXPECT_TRUE(holds(parts.module(), body(indirect)));
    EXPECT_FALSE(holds(rewritten, body(indirect)));
  }
  // Functions 6, 7 and 8 are new.
  EXPECT_TRUE(holds(rewritten, body({0x20, 0, 0x20, 1, 0x20, 2, 0x10, 6})));
  EXPECT_TRUE(holds(rewritten, body({0x20, 0, 0x20, 1, 0x10, 7})));
  EXPECT_TRUE(holds(rewritten, body({0x20, 0, 0x10, 8, 0x20, 0})));
}

TEST(DirectCalls, OfTypesThatSayTheSameShareOneFunction) {
  Parts parts;
  parts.unary = {0x20, 0, 0x20, 0, 0x20, 1, kCallIndirect, 3, 0};
  Interpreted rewritten(withDirectCalls(parts.module()));
  EXPECT_EQ(rewritten.call("unary", {7, 1}), (Outcome{0, 14}));
  EXPECT_TRUE(holds(withDirectCalls(parts.module()), body({0x20, 0, 0x20, 0, 0x20, 1, 0x10, 6})));
}

TEST(DirectCalls, LetALaterSegmentOfTheTableWin) {
  Parts parts;
  parts.elements = {2, 0, 0x41, 1, 0x0b, 2, 0, 0, 0, 0x41, 2, 0x0b, 1, 1};
  Interpreted rewritten(withDirectCalls(parts.module()));
  EXPECT_EQ(rewritten.call("binary", {7, 2, 1}), (Outcome{0, 9}));
  EXPECT_EQ(rewritten.call("binary", {7, 2, 2}), (Outcome{0, 5}));
}

TEST(DirectCalls, LeaveAModuleWithoutIndirectOnesAsItIs) {
  Parts parts;
  parts.binary = parts.unary = parts.nothing = {0x20, 0};
  EXPECT_EQ(withDirectCalls(parts.module()), parts.module());
  EXPECT_EQ(withDirectCalls(kHeader), kHeader);
}

TEST(DirectCalls, HaveNamesWhereFunctionsHaveNames) {
  Parts parts;
  const Bytes locals = {2, 1, 0};
  parts.last =
      section(0, joined({sized(textBytes("name")), {1, 6, 1, 0}, sized(textBytes("add")), locals}));
  const Bytes rewritten = withDirectCalls(parts.module());
  EXPECT_TRUE(holds(rewritten, joined({{1, 42, 4, 0},
                                       sized(textBytes("add")),
                                       {6},
                                       sized(textBytes("dispatch_0")),
                                       {7},
                                       sized(textBytes("dispatch_1")),
                                       {8},
                                       sized(textBytes("dispatch_4")),
                                       locals})));
  parts.last = section(0, joined({sized(textBytes("other")), {1, 2, 3}}));
  const Bytes other = withDirectCalls(parts.module());
  EXPECT_TRUE(std::equal(parts.last.rbegin(), parts.last.rend(), other.rbegin()));
}

// Each with an operand that holds the byte of `call_indirect`, so a wrong length shows.
TEST(DirectCalls, WalkOverEveryKindOfInstruction) {
  const Bytes memory16 = {4, 0x11};  // Alignment and offset.
  const Bytes lanes(16, 0x11);
  const std::vector<Bytes> instructions = {
      {0x00},
      {0x01},
      {0x02, 0x40, 0x0b},
      {0x03, 0x40, 0x0b},
      {0x02, 0x91, 0x00, 0x0b},
      {0x41, 0x11, 0x04, 0x40, 0x05, 0x0b},
      {0x0c, 0x11},
      {0x0d, 0x11},
      {0x0e, 2, 0x11, 0x11, 0x11},
      {0x10, 0x11},
      {0x12, 0x11},
      {0x13, 0x11, 0},
      {0x1a},
      {0x1b},
      {0x1c, 1, 0x7f},
      {0x21, 0x11},
      {0x25, 0x11},
      {0x28, 2, 0x11},
      {0x3e, 2, 0x11},
      {0x3f, 0},
      {0x40, 0},
      {0x41, 0x91, 0x7f},
      {0x42, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x01},
      {0x43, 0x11, 0x11, 0x11, 0x11},
      {0x44, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11},
      {0x45},
      {0xc4},
      {0xd0, 0x70},
      {0xd1},
      {0xd2, 0x11},
      {0xfc, 7},
      {0xfc, 8, 0x11, 0x11},
      {0xfc, 9, 0x11},
      {0xfc, 10, 0x11, 0x11},
      {0xfc, 11, 0x11},
      {0xfc, 16, 0x11},
      joined({{0xfd, 0}, memory16}),
      joined({{0xfd, 11}, memory16}),
      joined({{0xfd, 12}, lanes}),
      joined({{0xfd, 13}, lanes}),
      {0xfd, 14},
      {0xfd, 21, 0x11},
      {0xfd, 34, 0x11},
      {0xfd, 35},
      joined({{0xfd, 84}, memory16, {0x11}}),
      joined({{0xfd, 91}, memory16, {0x11}}),
      joined({{0xfd, 92}, memory16}),
      {0xfd, 94},
      {0xfd, 0x93, 0x02},
  };
  for (const Bytes& instruction : instructions) {
    Parts parts;
    parts.add = joined({instruction, {0x20, 0, kCallIndirect, 4, 0}, instruction});
    const Bytes rewritten = withDirectCalls(parts.module());
    EXPECT_TRUE(holds(rewritten, body(joined({instruction, {0x20, 0, 0x10, 6}, instruction}))))
        << testing::PrintToString(instruction);
  }
}

TEST(DirectCalls, RefuseATableThatMayChange) {
  const auto with = [](const std::function<void(Parts&)>& change) {
    Parts parts;
    change(parts);
    return refusalOf(parts.module());
  };
  const auto instruction = [&](const Bytes& code) {
    return with([&](Parts& parts) { parts.add = code; });
  };
  EXPECT_EQ(instruction({0x26, 0}), "the module's table may change: table.set");
  EXPECT_EQ(instruction({0xfc, 12, 0, 0}), "the module's table may change: table.init");
  EXPECT_EQ(instruction({0xfc, 14, 0, 0}), "the module's table may change: table.copy");
  EXPECT_EQ(instruction({0xfc, 15, 0}), "the module's table may change: table.grow");
  EXPECT_EQ(instruction({0xfc, 17, 0}), "the module's table may change: table.fill");
  EXPECT_EQ(
      with([](Parts& parts) { parts.exports = joined({{1}, sized(textBytes("table")), {1, 0}}); }),
      "the module's table may change: it is exported");
  EXPECT_EQ(with([](Parts& parts) {
              parts.imports = joined({{1}, sized({}), sized({}), {1, 0x70, 0, 6}});
            }),
            "the module's table may change: it is imported");
}

TEST(DirectCalls, RefuseWhatIsNotKnown) {
  const auto with = [](const std::function<void(Parts&)>& change) {
    Parts parts;
    change(parts);
    return refusalOf(parts.module());
  };
  EXPECT_EQ(refusalOf({}), "the module ends too early");
  EXPECT_EQ(refusalOf(textBytes("not a module")), "this is not a WebAssembly module");
  EXPECT_EQ(refusalOf(joined({kHeader, section(3, {0}), section(3, {0})})),
            "the module has two sections 3");
  EXPECT_EQ(with([](Parts& parts) { parts.add = {0x06, 0x40}; }),
            "the module has the unknown instruction 6");
  EXPECT_EQ(with([](Parts& parts) { parts.add = {0xfe, 0x03, 0}; }),
            "the module has the unknown instruction 254");
  EXPECT_EQ(with([](Parts& parts) { parts.add = {0xfc, 18}; }),
            "the module has the unknown instruction 0xfc 18");
  EXPECT_EQ(with([](Parts& parts) { parts.add = {0xfd, 0x94, 0x02}; }),
            "the module has the unknown instruction 0xfd 276");
  EXPECT_EQ(with([](Parts& parts) { parts.add = {0x28, 66, 0}; }),
            "the module has more than one memory");
  EXPECT_EQ(with([](Parts& parts) { parts.unary[5] = 5; }),
            "the module calls a type that is not there");
  EXPECT_EQ(with([](Parts& parts) { parts.unary[6] = 1; }),
            "the module calls through a second table");
  EXPECT_EQ(with([](Parts& parts) { parts.table = {}; }), "the module has not one table");
  EXPECT_EQ(with([](Parts& parts) { parts.table = {2, 0x70, 0, 6, 0x70, 0, 6}; }),
            "the module has not one table");
  EXPECT_EQ(with([](Parts& parts) { parts.table[1] = 0x6f; }),
            "the module's table is not of functions");
  EXPECT_EQ(with([](Parts& parts) { parts.table = {1, 0x70, 0, 0xa1, 0x8d, 0x06}; }),
            "the module's table has 100001 slots");
  EXPECT_EQ(with([](Parts& parts) { parts.table[3] = 4; }), "the module fills more than its table");
  EXPECT_EQ(with([](Parts& parts) { parts.elements[3] = 0x7f; }),
            "the module fills more than its table");
  EXPECT_EQ(with([](Parts& parts) { parts.elements[1] = 1; }),
            "the module fills its table in a way that is not known");
  EXPECT_EQ(with([](Parts& parts) { parts.elements[2] = 0x23; }),
            "the module fills its table in a way that is not known");
  EXPECT_EQ(with([](Parts& parts) { parts.elements[4] = 0x6a; }),
            "the module fills its table from an expression");
  EXPECT_EQ(with([](Parts& parts) { parts.elements[6] = 6; }),
            "the module's table names a function that is not there");
  EXPECT_EQ(with([](Parts& parts) { parts.types[1] = 0x5f; }),
            "the module has a type that is not one of functions");
}

// The last byte of a module may be missing only where nothing says how much there is.
TEST(DirectCalls, RefuseEveryModuleThatIsCutOff) {
  const Bytes module = Parts().module();
  int refused = 0;
  for (std::size_t size = 0; size < module.size(); ++size) {
    const Bytes part(module.begin(), module.begin() + static_cast<std::ptrdiff_t>(size));
    try {
      EXPECT_EQ(withDirectCalls(part), part) << size;  // Cut between two sections: no code at all.
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::InvalidRequest) << size;
      ++refused;
    }
  }
  EXPECT_GT(refused, static_cast<int>(module.size()) - 10);
}

TEST(DirectCalls, SurviveDamagedModules) {
  constexpr int kModules = 20'000;
  const auto seed = std::random_device()();
  SCOPED_TRACE(str("seed ", seed));
  std::mt19937 random(seed);
  const Bytes module = Parts().module();
  int accepted = 0;
  for (int count = 0; count < kModules; ++count) {
    Bytes damaged = module;
    for (auto changes = 1 + random() % 3; changes > 0; --changes) {
      damaged[random() % damaged.size()] = static_cast<std::uint8_t>(random());
    }
    try {
      EXPECT_GE(withDirectCalls(damaged).size(), damaged.size());
      ++accepted;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::InvalidRequest) << error.message();
    }
  }
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, kModules);
}

std::string textOf(const WasmEdge_String& text) { return {text.Buf, text.Length}; }

struct Surface {
  std::vector<std::string> imports;
  std::vector<std::string> exports;

  bool operator==(const Surface&) const = default;
};

// Of a module that has to be valid.
Surface surfaceOf(const Bytes& bytes) {
  const wasm::Loader loader(WasmEdge_LoaderCreate(nullptr));
  WasmEdge_ASTModuleContext* raw = nullptr;
  EXPECT_TRUE(WasmEdge_ResultOK(WasmEdge_LoaderParseFromBuffer(
      loader.get(), &raw, bytes.data(), static_cast<std::uint32_t>(bytes.size()))));
  const wasm::Module module(raw);
  const wasm::Validator validator(WasmEdge_ValidatorCreate(nullptr));
  EXPECT_TRUE(WasmEdge_ResultOK(WasmEdge_ValidatorValidate(validator.get(), raw)));
  Surface surface;
  std::vector<const WasmEdge_ImportTypeContext*> imports(WasmEdge_ASTModuleListImportsLength(raw));
  WasmEdge_ASTModuleListImports(raw, imports.data(), static_cast<std::uint32_t>(imports.size()));
  for (const auto* import : imports) {
    surface.imports.push_back(textOf(WasmEdge_ImportTypeGetExternalName(import)));
  }
  std::vector<const WasmEdge_ExportTypeContext*> exports(WasmEdge_ASTModuleListExportsLength(raw));
  WasmEdge_ASTModuleListExports(raw, exports.data(), static_cast<std::uint32_t>(exports.size()));
  for (const auto* exported : exports) {
    surface.exports.push_back(textOf(WasmEdge_ExportTypeGetExternalName(exported)));
  }
  return surface;
}

TEST(DirectCalls, KeepWhatTheGuestImportsAndExports) {
  const std::string file = readFile(SCHEMASCRIPT_GUEST_FOLDER "/guest.wasm");
  const Bytes guest(file.begin(), file.end());
  const Bytes rewritten = withDirectCalls(guest);
  EXPECT_GT(rewritten.size(), guest.size());
  const Surface before = surfaceOf(guest);
  EXPECT_FALSE(before.imports.empty());
  EXPECT_FALSE(before.exports.empty());
  EXPECT_EQ(surfaceOf(rewritten), before);
}

}  // namespace
}  // namespace schemascript
