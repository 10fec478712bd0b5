#include "sandbox/direct-calls.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace schemascript {
namespace {

using Bytes = std::vector<std::uint8_t>;
using View = std::span<const std::uint8_t>;

enum Section : std::uint8_t {
  kCustom = 0,
  kTypes = 1,
  kImports = 2,
  kFunctions = 3,
  kTables = 4,
  kExports = 7,
  kElements = 9,
  kCode = 10,
};

// What a section, an instruction or a type begins with, as the specification numbers it.
constexpr std::uint8_t kFunctionType = 0x60;
constexpr std::uint8_t kFuncref = 0x70;
constexpr std::uint8_t kI32 = 0x7f;
constexpr std::uint8_t kNoResult = 0x40;
constexpr std::uint8_t kExternFunction = 0;
constexpr std::uint8_t kExternTable = 1;
constexpr std::uint8_t kBlock = 0x02;
constexpr std::uint8_t kEnd = 0x0b;
constexpr std::uint8_t kBrTable = 0x0e;
constexpr std::uint8_t kReturn = 0x0f;
constexpr std::uint8_t kCall = 0x10;
constexpr std::uint8_t kCallIndirect = 0x11;
constexpr std::uint8_t kLocalGet = 0x20;
constexpr std::uint8_t kI32Const = 0x41;
constexpr std::uint8_t kI32Sub = 0x6b;

// Far above what any guest has; a damaged number must not become a large allocation.
constexpr std::uint32_t kTableSlotsMax = 100'000;

class Reader {
 public:
  explicit Reader(View bytes) : bytes_(bytes) {}

  bool isAtEnd() const noexcept { return position_ == bytes_.size(); }
  std::size_t position() const noexcept { return position_; }
  // What was read since `begin`, which was a position().
  View since(std::size_t begin) const { return bytes_.subspan(begin, position_ - begin); }

  std::uint8_t byte() { return take(1)[0]; }

  View take(std::size_t size) {
    if (size > bytes_.size() - position_) throw invalidRequest("the module ends too early");
    position_ += size;
    return bytes_.subspan(position_ - size, size);
  }

  // LEB128, of at most five bytes.
  std::uint32_t number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 35; shift += 7) {
      const std::uint8_t next = byte();
      value |= std::uint64_t{next & 0x7fU} << shift;
      if (next < 0x80) {
        if (value > UINT32_MAX) break;
        return static_cast<std::uint32_t>(value);
      }
    }
    throw invalidRequest("the module holds a number that is too long");
  }

  // A signed one of 32, 33 or 64 bits. Answers its lower 32.
  std::uint32_t signedNumber() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      const std::uint8_t next = byte();
      value |= std::uint64_t{next & 0x7fU} << shift;
      if (next >= 0x80) continue;
      if ((next & 0x40) != 0 && shift + 7 < 64) value |= ~std::uint64_t{0} << (shift + 7);
      return static_cast<std::uint32_t>(value);
    }
    throw invalidRequest("the module holds a number that is too long");
  }

  View sized() { return take(number()); }

 private:
  View bytes_;
  std::size_t position_ = 0;
};

void append(Bytes& out, View bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

void appendNumber(Bytes& out, std::uint32_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::uint8_t>(value | 0x80));
  out.push_back(static_cast<std::uint8_t>(value));
}

void appendSigned(Bytes& out, std::int32_t value) {
  while (value < -64 || value > 63) {
    out.push_back(static_cast<std::uint8_t>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<std::uint8_t>(value & 0x7f));
}

void appendSized(Bytes& out, View bytes) {
  appendNumber(out, static_cast<std::uint32_t>(bytes.size()));
  append(out, bytes);
}

struct FunctionType {
  Bytes parameters;
  Bytes results;

  bool operator==(const FunctionType&) const = default;
};

// A vector of the binary format: how many, and the bytes after that number.
struct Items {
  std::uint32_t count = 0;
  View bytes;
};

// Its count becomes larger by `added`, which are behind the others then.
Bytes longer(const Items& items, std::uint32_t count, const Bytes& added) {
  Bytes out;
  appendNumber(out, items.count + count);
  append(out, items.bytes);
  append(out, added);
  return out;
}

Items itemsOf(View section) {
  Reader reader(section);
  const std::uint32_t count = reader.number();
  return {count, section.subspan(reader.position())};
}

[[noreturn]] void throwTableMayChange(std::string_view how) {
  throw invalidRequest(str("the module's table may change: ", how));
}

void skipMemoryArgument(Reader& code) {
  // From 64 on the alignment says that the number of a memory follows.
  if (code.number() >= 64) throw invalidRequest("the module has more than one memory");
  code.number();
}

// Behind 0xfc: saturating conversions, bulk memory, tables.
void skipMiscellaneous(Reader& code) {
  const std::uint32_t instruction = code.number();
  switch (instruction) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:  // trunc_sat
      return;
    case 8:   // memory.init
    case 10:  // memory.copy
      code.number();
      code.number();
      return;
    case 9:   // data.drop
    case 11:  // memory.fill
    case 16:  // table.size
      code.number();
      return;
    case 12:
      throwTableMayChange("table.init");
    case 14:
      throwTableMayChange("table.copy");
    case 15:
      throwTableMayChange("table.grow");
    case 17:
      throwTableMayChange("table.fill");
    default:
      throw invalidRequest(str("the module has the unknown instruction 0xfc ", instruction));
  }
}

// Behind 0xfd: vectors of 128 bits, with the relaxed ones.
void skipVector(Reader& code) {
  const std::uint32_t instruction = code.number();
  if (instruction <= 11 || instruction == 92 || instruction == 93) {  // Loads and the store.
    skipMemoryArgument(code);
  } else if (instruction == 12 || instruction == 13) {  // A constant, a shuffle.
    code.take(16);
  } else if (instruction >= 21 && instruction <= 34) {  // A lane.
    code.byte();
  } else if (instruction >= 84 && instruction <= 91) {  // A lane from or to memory.
    skipMemoryArgument(code);
    code.byte();
  } else if (instruction > 0x113) {
    throw invalidRequest(str("the module has the unknown instruction 0xfd ", instruction));
  }
}

// What follows the first byte of an instruction that is not a `call_indirect`.
void skipRest(Reader& code, std::uint8_t instruction) {
  switch (instruction) {
    case 0x00:  // unreachable
    case 0x01:  // nop
    case 0x05:  // else
    case kEnd:
    case kReturn:
    case 0x1a:  // drop
    case 0x1b:  // select
    case 0xd1:  // ref.is_null
      return;
    case kBlock:
    case 0x03:  // loop
    case 0x04:  // if
    case kI32Const:
    case 0x42:  // i64.const
      code.signedNumber();
      return;
    case 0x0c:  // br
    case 0x0d:  // br_if
    case kCall:
    case 0x12:  // return_call
    case kLocalGet:
    case 0x21:  // local.set
    case 0x22:  // local.tee
    case 0x23:  // global.get
    case 0x24:  // global.set
    case 0x25:  // table.get
    case 0x3f:  // memory.size
    case 0x40:  // memory.grow
    case 0xd2:  // ref.func
      code.number();
      return;
    case 0x13:  // return_call_indirect
      code.number();
      code.number();
      return;
    case kBrTable: {
      const std::uint32_t labels = code.number();
      for (std::uint32_t label = 0; label < labels; ++label) code.number();
      code.number();
      return;
    }
    case 0x1c:  // select, with types
      code.sized();
      return;
    case 0x26:
      throwTableMayChange("table.set");
    case 0x43:  // f32.const
      code.take(4);
      return;
    case 0x44:  // f64.const
      code.take(8);
      return;
    case 0xd0:  // ref.null
      code.signedNumber();
      return;
    case 0xfc:
      skipMiscellaneous(code);
      return;
    case 0xfd:
      skipVector(code);
      return;
    default:
      if (instruction >= 0x28 && instruction <= 0x3e) {  // Loads and stores.
        skipMemoryArgument(code);
        return;
      }
      if (instruction >= 0x45 && instruction <= 0xc4) return;  // Numbers.
      throw invalidRequest(str("the module has the unknown instruction ", int{instruction}));
  }
}

// One module on its way through: what of it matters here is read first, then it is written again.
class Rewriter {
 public:
  explicit Rewriter(View module) : module_(module) {}

  Bytes rewrite() {
    readSections();
    readTypes();
    readFunctions();
    const Bytes code = rewriteCode();
    if (dispatchers_.empty()) return {module_.begin(), module_.end()};
    readTable();
    return write(code);
  }

 private:
  static constexpr std::size_t kHeaderBytes = 8;

  // A function that is to be made, for one type of `call_indirect`.
  struct Dispatcher {
    std::uint32_t type = 0;   // Of those it calls.
    std::uint32_t index = 0;  // Its own, among all functions.
  };

  void readSections() {
    constexpr std::uint8_t kHeader[kHeaderBytes] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    Reader reader(module_);
    if (!std::ranges::equal(reader.take(kHeaderBytes), kHeader)) {
      throw invalidRequest("this is not a WebAssembly module");
    }
    while (!reader.isAtEnd()) {
      const std::uint8_t id = reader.byte();
      const View content = reader.sized();
      if (id == kCustom) continue;
      if (!sections_.emplace(id, content).second) {
        throw invalidRequest(str("the module has two sections ", int{id}));
      }
    }
  }

  Items section(std::uint8_t id) const {
    const auto found = sections_.find(id);
    return found == sections_.end() ? Items{} : itemsOf(found->second);
  }

  void readTypes() {
    const Items items = section(kTypes);
    Reader reader(items.bytes);
    for (std::uint32_t index = 0; index < items.count; ++index) {
      if (reader.byte() != kFunctionType) {
        throw invalidRequest("the module has a type that is not one of functions");
      }
      const View parameters = reader.sized();
      const View results = reader.sized();
      types_.push_back({{parameters.begin(), parameters.end()}, {results.begin(), results.end()}});
    }
  }

  // The type of each function, the imported ones first.
  void readFunctions() {
    const Items imports = section(kImports);
    Reader reader(imports.bytes);
    for (std::uint32_t index = 0; index < imports.count; ++index) {
      reader.sized();
      reader.sized();
      switch (reader.byte()) {
        case kExternFunction:
          functions_.push_back(reader.number());
          break;
        case kExternTable:
          throwTableMayChange("it is imported");
        case 2:  // A memory.
          skipLimits(reader);
          break;
        case 3:  // A global: its type, and whether it changes.
          reader.take(2);
          break;
        default:
          throw invalidRequest("the module has an import of an unknown kind");
      }
    }
    const Items own = section(kFunctions);
    Reader types(own.bytes);
    for (std::uint32_t index = 0; index < own.count; ++index) functions_.push_back(types.number());
    functionsBefore_ = static_cast<std::uint32_t>(functions_.size());
  }

  // Answers the smaller one.
  static std::uint32_t skipLimits(Reader& reader) {
    const std::uint8_t flags = reader.byte();
    if (flags > 3) throw invalidRequest("the module has limits of an unknown kind");
    const std::uint32_t min = reader.number();
    if ((flags & 1) != 0) reader.number();
    return min;
  }

  // Fills slots_: what the table holds from the start, and for ever.
  void readTable() {
    const Items tables = section(kTables);
    if (tables.count != 1) throw invalidRequest("the module has not one table");
    Reader table(tables.bytes);
    if (table.byte() != kFuncref) throw invalidRequest("the module's table is not of functions");
    const std::uint32_t size = skipLimits(table);
    if (size > kTableSlotsMax) throw invalidRequest(str("the module's table has ", size, " slots"));
    slots_.resize(size);

    const Items exports = section(kExports);
    Reader exported(exports.bytes);
    for (std::uint32_t index = 0; index < exports.count; ++index) {
      exported.sized();
      if (exported.byte() == kExternTable) throwTableMayChange("it is exported");
      exported.number();
    }

    const Items segments = section(kElements);
    Reader reader(segments.bytes);
    for (std::uint32_t index = 0; index < segments.count; ++index) readSegment(reader);
  }

  void readSegment(Reader& reader) {
    // 0: functions by their indexes, put into table 0 when the module is instantiated.
    if (reader.number() != 0 || reader.byte() != kI32Const) {
      throw invalidRequest("the module fills its table in a way that is not known");
    }
    const std::uint32_t offset = reader.signedNumber();
    if (reader.byte() != kEnd)
      throw invalidRequest("the module fills its table from an expression");
    const std::uint32_t count = reader.number();
    if (offset > slots_.size() || count > slots_.size() - offset) {
      throw invalidRequest("the module fills more than its table");
    }
    for (std::uint32_t slot = offset; slot < offset + count; ++slot) {
      const std::uint32_t function = reader.number();
      if (function >= functionsBefore_ || functions_[function] >= types_.size()) {
        throw invalidRequest("the module's table names a function that is not there");
      }
      slots_[slot] = function;
    }
  }

  // The code section's functions, each `call_indirect` replaced.
  Bytes rewriteCode() {
    const Items items = section(kCode);
    Reader reader(items.bytes);
    Bytes out;
    for (std::uint32_t index = 0; index < items.count; ++index) {
      appendSized(out, rewriteBody(reader.sized()));
    }
    if (!reader.isAtEnd()) throw invalidRequest("the module has code that no function has");
    return out;
  }

  Bytes rewriteBody(View body) {
    Reader code(body);
    const std::uint32_t groups = code.number();
    for (std::uint32_t group = 0; group < groups; ++group) {  // How many locals of which type.
      code.number();
      code.byte();
    }
    Bytes out;
    append(out, code.since(0));
    while (!code.isAtEnd()) {
      const std::size_t begin = code.position();
      const std::uint8_t instruction = code.byte();
      if (instruction == kCallIndirect) {
        const std::uint32_t type = code.number();
        if (code.number() != 0) throw invalidRequest("the module calls through a second table");
        out.push_back(kCall);
        appendNumber(out, dispatcherOf(type));
      } else {
        skipRest(code, instruction);
        append(out, code.since(begin));
      }
    }
    return out;
  }

  std::uint32_t dispatcherOf(std::uint32_t type) {
    if (type >= types_.size()) throw invalidRequest("the module calls a type that is not there");
    // Types are compared by what they say: the same may be there twice.
    const auto first = std::ranges::find(types_, types_[type]) - types_.begin();
    type = static_cast<std::uint32_t>(first);
    const auto index = static_cast<std::uint32_t>(functionsBefore_ + dispatchers_.size());
    return dispatchers_.try_emplace(type, Dispatcher{type, index}).first->second.index;
  }

  // The parameters and then the index; one block for each function that the table has of this type:
  //
  //     block  block  block
  //       local.get INDEX  i32.const FIRST  i32.sub  br_table 0 2 1 .. 2
  //     end  local.get 0 ..  call F  return
  //     end  local.get 0 ..  call G  return
  //     end  local.get 0 ..  local.get INDEX  call_indirect
  Bytes bodyOf(const Dispatcher& dispatcher) const {
    const FunctionType& type = types_[dispatcher.type];
    const auto index = static_cast<std::uint32_t>(type.parameters.size());

    std::vector<std::uint32_t> targets;
    std::vector<std::optional<std::uint32_t>> labels;  // Of each slot, from the first that has one.
    std::uint32_t first = 0;
    for (std::uint32_t slot = 0; slot < slots_.size(); ++slot) {
      const bool fits = slots_[slot] && types_[functions_[*slots_[slot]]] == type;
      if (!fits && labels.empty()) continue;
      if (labels.empty()) first = slot;
      labels.emplace_back();
      if (!fits) continue;
      const auto known = std::ranges::find(targets, *slots_[slot]);
      labels.back() = static_cast<std::uint32_t>(known - targets.begin());
      if (known == targets.end()) targets.push_back(*slots_[slot]);
    }
    while (!labels.empty() && !labels.back()) labels.pop_back();

    const auto otherwise = static_cast<std::uint32_t>(targets.size());
    Bytes out;
    appendNumber(out, 0);  // No locals.
    for (std::uint32_t block = 0; block <= otherwise; ++block) {
      out.push_back(kBlock);
      out.push_back(kNoResult);
    }
    appendLocal(out, index);
    out.push_back(kI32Const);
    appendSigned(out, static_cast<std::int32_t>(first));
    out.push_back(kI32Sub);
    out.push_back(kBrTable);
    appendNumber(out, static_cast<std::uint32_t>(labels.size()));
    for (const auto& label : labels) appendNumber(out, label.value_or(otherwise));
    appendNumber(out, otherwise);
    for (const std::uint32_t target : targets) {
      out.push_back(kEnd);
      for (std::uint32_t parameter = 0; parameter < index; ++parameter) appendLocal(out, parameter);
      out.push_back(kCall);
      appendNumber(out, target);
      out.push_back(kReturn);
    }
    out.push_back(kEnd);
    for (std::uint32_t parameter = 0; parameter <= index; ++parameter) appendLocal(out, parameter);
    out.push_back(kCallIndirect);
    appendNumber(out, dispatcher.type);
    appendNumber(out, 0);
    out.push_back(kEnd);
    return out;
  }

  static void appendLocal(Bytes& out, std::uint32_t local) {
    out.push_back(kLocalGet);
    appendNumber(out, local);
  }

  // Everything again in its order, and the dispatchers behind the other functions.
  Bytes write(const Bytes& code) {
    std::vector<Dispatcher> dispatchers;
    for (const auto& [type, dispatcher] : dispatchers_) dispatchers.push_back(dispatcher);
    std::ranges::sort(dispatchers, {}, &Dispatcher::index);
    const auto count = static_cast<std::uint32_t>(dispatchers.size());

    Bytes types;
    Bytes functions;
    Bytes bodies = code;
    Bytes names;
    for (std::uint32_t position = 0; position < count; ++position) {
      const Dispatcher& dispatcher = dispatchers[position];
      const FunctionType& called = types_[dispatcher.type];
      types.push_back(kFunctionType);
      appendNumber(types, static_cast<std::uint32_t>(called.parameters.size() + 1));
      append(types, called.parameters);
      types.push_back(kI32);
      appendSized(types, called.results);
      appendNumber(functions, static_cast<std::uint32_t>(types_.size() + position));
      appendSized(bodies, bodyOf(dispatcher));
      const std::string name = str("dispatch_", dispatcher.type);
      appendNumber(names, dispatcher.index);
      appendSized(names, {reinterpret_cast<const std::uint8_t*>(name.data()), name.size()});
    }

    Bytes out;
    Reader reader(module_);
    append(out, reader.take(kHeaderBytes));
    while (!reader.isAtEnd()) {
      const std::size_t begin = reader.position();
      const std::uint8_t id = reader.byte();
      const View content = reader.sized();
      switch (id) {
        case kTypes:
          appendSection(out, id, longer(itemsOf(content), count, types));
          break;
        case kFunctions:
          appendSection(out, id, longer(itemsOf(content), count, functions));
          break;
        case kCode:
          appendSection(out, id, longer({section(kCode).count, {}}, count, bodies));
          break;
        case kCustom:
          appendSection(out, id, withNames(content, count, names));
          break;
        default:
          append(out, reader.since(begin));
      }
    }
    return out;
  }

  static void appendSection(Bytes& out, std::uint8_t id, const Bytes& content) {
    out.push_back(id);
    appendSized(out, content);
  }

  // A custom section as it is, but for the one with the functions' names.
  static Bytes withNames(View section, std::uint32_t count, const Bytes& names) {
    constexpr std::uint8_t kFunctionNames = 1;
    constexpr std::string_view kName = "name";
    Reader reader(section);
    if (!std::ranges::equal(reader.sized(), kName)) return {section.begin(), section.end()};
    Bytes out;
    append(out, reader.since(0));
    while (!reader.isAtEnd()) {
      const std::size_t begin = reader.position();
      const std::uint8_t id = reader.byte();
      const View content = reader.sized();
      if (id == kFunctionNames) {
        appendSection(out, id, longer(itemsOf(content), count, names));
      } else {
        append(out, reader.since(begin));
      }
    }
    return out;
  }

  View module_;
  std::map<std::uint8_t, View> sections_;  // All but the custom ones.
  std::vector<FunctionType> types_;
  std::vector<std::uint32_t> functions_;  // The index of each one's type.
  std::uint32_t functionsBefore_ = 0;
  std::map<std::uint32_t, Dispatcher> dispatchers_;  // By the type they call.
  std::vector<std::optional<std::uint32_t>> slots_;  // The function in each slot of the table.
};

}  // namespace

std::vector<std::uint8_t> withDirectCalls(std::span<const std::uint8_t> module) {
  return Rewriter(module).rewrite();
}

}  // namespace schemascript
