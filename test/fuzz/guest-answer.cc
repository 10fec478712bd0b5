// Any bytes as an answer of the host, read by the guest's glue: values or exceptions, never a fault
// and never a value that is not given back. The first bytes choose the function that asks, the
// kinds of the columns, how the host hands over its answer, and how much memory there is.
#include <cstdint>
#include <string>

#include "fake-host.h"

using schemascript::guest::NativeGuest;

namespace {

// Kinds, objects inside of each other, one that may be null; decoders that query and that throw.
constexpr char kSetup[] = R"(
const decoder = {
  depth: 0,
  mapFromDriverValue(value) {
    if (++decoder.calls > 50) throw new Error('enough');
    if (value === 1n || value === 1) __host_sqlite.all(plain, [], 0);
    return typeof value === 'string' ? null : value;
  },
};
const plain = __host_sqlite.statement('select 1');
function shaped(columns, kind) {
  const shape = { columns: [], nullable: [] };
  for (let at = 0; at < columns; at++) {
    const path = at % 3 === 0 ? ['c' + at] : at % 3 === 1 ? ['n', 'c' + at] : ['n', 'm', 'c' + at];
    shape.columns.push({
      path, kind: (kind + at * 5) % 12, names: ['a', 'b'], numbers: [1, 2],
      decoder: at % 4 === 3 ? undefined : decoder,
    });
  }
  if (columns > 1) shape.nullable.push({ node: 'n', column: 1 });
  return __host_sqlite.statement('select', shape);
}
// Where there is no memory left, the engine's own bytecode and JSON parser do not get out of their
// errors: no decoders, no JSON.
function limited(columns, kind) {
  const shape = { columns: [] };
  for (let at = 0; at < columns; at++) {
    shape.columns.push({ path: ['n', 'c' + at], kind: [0, 1, 2, 4, 7, 8, 11][(kind + at) % 7] });
  }
  return __host_sqlite.statement('select', columns === 0 ? undefined : shape);
}
const FUNCTIONS = ['run', 'all', 'values', 'get', 'iterate', 'fetch', 'begin', 'commit', 'batch', 'close'];
function ask(which, columns, kind) {
  decoder.calls = 0;
  const name = FUNCTIONS[which % FUNCTIONS.length];
  const statement = columns === 0 ? plain : shaped(columns, kind);
  switch (name) {
    case 'fetch': return __host_sqlite.fetch(statement, 1);
    case 'begin': return __host_sqlite.begin('deferred', 0);
    case 'commit': return __host_sqlite.commit(1);
    case 'close': return __host_sqlite.close(1);
    case 'batch': return __host_sqlite.batch([[statement, 1, [1]], [statement, 3, ['a']], [plain, 0, []]], 0);
    default: return __host_sqlite[name](statement, [1, 'two', 2.5, null, true], 0);
  }
}
if (true) __host_sqlite.setErrorFactory((error) => Object.assign(new Error(String(error.message)), error));
)";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* first, std::size_t size) {
  constexpr std::size_t kChoices = 5;
  if (size < kChoices) return 0;
  NativeGuest native;
  if (native.run(kSetup).starts_with("throws")) __builtin_trap();
  const std::string answer(reinterpret_cast<const char*>(first) + kChoices, size - kChoices);
  // The decoders' queries are answered with the same bytes.
  for (int copies = 0; copies < 4; ++copies) native.host.answers.push_back(answer);
  native.host.pieceMax = first[3] == 0 ? SIZE_MAX : first[3];
  if ((first[4] & 1) != 0) native.host.claimedSize = static_cast<std::uint32_t>(first[4]) * 64;
  const std::string which = std::to_string(first[1] % 7) + "," + std::to_string(first[2]);
  if ((first[4] & 2) != 0) {
    native.run("var wanted = limited(" + which + "), params = [], none = 0;");
    native.call("all", {"wanted", "params", "none"}, 1000 + std::size_t{first[4]} * 64);
  } else {
    native.run("ask(" + std::to_string(first[0]) + "," + which + ")");
  }
  // Whatever came before: the next one works.
  using schemascript::guest::Bytes;
  native.host.answers = {Bytes().rows(1, 1).integer(7)};
  native.host.claimedSize = 0;
  if (native.run("__host_sqlite.get(plain, [], 0)[0]") != "7") __builtin_trap();
  return 0;
}
