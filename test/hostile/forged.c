// A guest that is not QuickJS: it has the exports that docs/protocol.md lists, and does and says
// what the host names. The bundle that is loaded is a list of words, `control=17 load=loop`, which
// hold in every call; a call's name is the attack.
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(#name))) name
#define IMPORT(name) __attribute__((import_module("schemascript"), import_name(#name))) name

typedef uint32_t u32;
typedef uint8_t u8;

u32 IMPORT(host_db_query)(u32 first, u32 size);
u32 IMPORT(host_copy_result)(u32 first, u32 max);
void IMPORT(host_log)(u32 stream, u32 first, u32 size);
double IMPORT(host_clock)(u32 kind);
void IMPORT(host_random)(u32 first, u32 size);

extern u8 __heap_base;

// The control block; the host has its words, and reads the fuel that is left where one of them says.
static u32 control[12] __attribute__((aligned(8)));
enum { FUEL_COUNTER_AT = 9 };
static u32 words[2];             // What ss_result and ss_failure answer.
static u32 wordsAt;              // 0: where `words` are.
static u32 controlAt = 1;        // 1: where `control` is.
static u32 allocateAnswers = 1;  // 1: what it should.
static u32 heapAt;
static double pollAnswer = -1;
static u32 pollLoops;
static u32 resultLoops;
static u32 releaseTraps;
static u32 resultKind;
static u32 stackPointerAfter = 1;  // 1: as it was.
static u32 seed;
static u8 buffer[4096];
static volatile u32 sink;

static u32 at(const void* pointer) { return (u32)(uintptr_t)pointer; }
static u32 memoryBytes(void) { return __builtin_wasm_memory_size(0) * 65536u; }
static u8* bytesAt(u32 offset) { return (u8*)(uintptr_t)offset; }

static u32 lengthOf(const char* text) {
  u32 length = 0;
  while (text[length] != 0) ++length;
  return length;
}

void* memcpy(void* to, const void* from, unsigned long size) {
  for (unsigned long i = 0; i < size; ++i) ((volatile u8*)to)[i] = ((const u8*)from)[i];
  return to;
}
void* memset(void* to, int byte, unsigned long size) {
  for (unsigned long i = 0; i < size; ++i) ((volatile u8*)to)[i] = (u8)byte;
  return to;
}

static int begins(const char* text, u32 size, const char* with) {
  const u32 length = lengthOf(with);
  if (length > size) return 0;
  for (u32 i = 0; i < length; ++i) {
    if (text[i] != with[i]) return 0;
  }
  return 1;
}

static int is(const char* text, u32 size, const char* name) {
  return size == lengthOf(name) && begins(text, size, name);
}

static u32 numberIn(const char* text, u32 size) {
  u32 number = 0;
  for (u32 i = 0; i < size && text[i] >= '0' && text[i] <= '9'; ++i)
    number = number * 10 + (u32)(text[i] - '0');
  return number;
}

// Reads memory in each round: that is where a guest can be stopped.
static void loop(void) {
  for (;;) sink = sink + 1;
}

static void answer(const char* text) {
  words[0] = at(text);
  words[1] = lengthOf(text);
}

static u32 put(u32 where, const char* text) {
  const u32 length = lengthOf(text);
  memcpy(bytesAt(where), text, length);
  return length;
}

static u32 random(void) { return seed = seed * 1664525u + 1013904223u; }
static u32 below(u32 limit) { return (random() >> 8) % limit; }

// Every second one is memory that it has, and the others are anywhere.
static u32 somewhere(void) {
  static const u32 kEdges[] = {0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF};
  const u32 edge = below(12);
  if (edge < 6) return kEdges[edge];
  if (edge < 8) return memoryBytes() - below(3);
  return below(memoryBytes());
}

// A request in the binary form: "all" of a statement with one number, one text.
static u32 request(u8* first) {
  static const u8 kRequest[] = {
      1,   1,   0,   0, 0, 0, 0, 0, 0, 0, 0, 0, 11, 0, 0, 0, 's', 'e', 'l', 'e', 'c', 't', ' ', '?',
      ',', ' ', '?', 2, 0, 0, 0, 1, 7, 0, 0, 0, 0,  0, 0, 0, 3,   2,   0,   0,   0,   'a', 'b'};
  memcpy(first, kRequest, sizeof kRequest);
  return sizeof kRequest;
}

static void query(u32 size) {
  host_db_query(at(buffer), size);
  host_copy_result(at(buffer) + 2048, below(2048));
}

static void queryMutated(void) {
  for (int round = 0; round < 4000; ++round) {
    u32 size = below(2) ? request(buffer)
                        : put(at(buffer),
                              "{\"sql\":\"select ?, 'x'\",\"params\":[1.5],\"method\":\"all\"}");
    for (u32 flips = below(5); flips > 0; --flips) {
      const u32 where = below(size);
      buffer[where] = below(3) ? (u8)random() : (u8)(buffer[where] ^ (1u << below(8)));
    }
    if (below(4) == 0) size -= below(size);
    // Methods whose handles are whatever the other bytes say.
    if (buffer[0] == 1 && below(3) == 0) buffer[1] = (u8)below(14);
    query(size);
  }
}

static void queryRandom(void) {
  for (int round = 0; round < 4000; ++round) {
    const u32 size = below(200);
    for (u32 i = 0; i < size; ++i) buffer[i] = (u8)(random() >> 16);
    if (below(2)) buffer[0] = below(2) ? 1 : '{';
    query(size);
  }
}

// Handles of transactions and cursors: 0, the highest, closed ones and others'.
static void queryHandles(void) {
  static const u32 kHandles[] = {0, 1, 2, 3, 16, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF};
  for (u32 method = 0; method < 14; ++method) {
    for (u32 t = 0; t < 9; ++t) {
      for (u32 c = 0; c < 9; ++c) {
        u32 size = request(buffer);
        buffer[1] = (u8)method;
        memcpy(buffer + 4, &kHandles[t], 4);
        memcpy(buffer + 8, &kHandles[c], 4);
        if (method == 4 || method == 5 || method == 6 || method == 10 || method == 11) size = 12;
        query(size);
      }
    }
  }
}

__attribute__((noinline)) static u32 recurse(u32 depth) {
  sink = depth;
  return recurse(depth + 1) + sink;
}

__attribute__((noinline)) static u32 recurseWide(u32 depth) {
  volatile u8 frame[4000];
  frame[depth % 4000] = (u8)depth;
  return recurseWide(depth + 1) + frame[sink % 4000];
}

static void setStackPointer(u32 value) {
  __asm__ volatile("local.get %0\n global.set __stack_pointer" : : "r"(value));
}

static void fillAllMemory(void) {
  while (__builtin_wasm_memory_grow(0, 1) != (unsigned long)-1) {
  }
  for (u32 where = at(&__heap_base) + 64; where < memoryBytes(); where += 512) *bytesAt(where) = 1;
}

// A failure's text that fills `size` bytes: `begin`, then `unit` again and again.
static void failWith(const char* begin, const char* unit, u32 size) {
  while (memoryBytes() < size + (1u << 20) &&
         __builtin_wasm_memory_grow(0, 16) != (unsigned long)-1) {
  }
  const u32 first = (at(&__heap_base) + 4096) & ~4095u;
  u32 length = put(first, begin);
  const u32 unitLength = lengthOf(unit);
  while (length + unitLength <= size) {
    memcpy(bytesAt(first + length), unit, unitLength);
    length += unitLength;
  }
  words[0] = first;
  words[1] = length;
  pollAnswer = -2;
}

__attribute__((noinline)) static u32 attack(const char* name, u32 size) {
  const u32 end = memoryBytes();
  answer("42");
  if (is(name, size, "fine")) return 1;
  if (is(name, size, "query outside")) return host_db_query(end - 4, 5);
  if (is(name, size, "query wraps")) return host_db_query(0xFFFFFFF0, 0x20);
  if (is(name, size, "query all")) return host_db_query(0, 0xFFFFFFFF);
  if (is(name, size, "query half")) return host_db_query(0x80000000, 0x80000000);
  if (is(name, size, "query empty")) return host_db_query(0xFFFFFFFF, 0) != 0;
  if (is(name, size, "query its memory")) return host_db_query(0, end) != 0;
  if (is(name, size, "query at the end")) {
    const char* const text = "{\"sql\":\"select 1\",\"method\":\"all\"}";
    const u32 length = lengthOf(text);
    put(end - length, text);
    return host_db_query(end - length, length) ==
           lengthOf("{'rows':[[1]],'changes':0,'lastInsertRowid':0}");
  }
  if (is(name, size, "copy without a query")) return host_copy_result(at(buffer), 4096) == 0;
  if (is(name, size, "copy twice")) {
    const u32 length = host_db_query(at(buffer), request(buffer));
    return host_copy_result(at(buffer), 4096) == length && host_copy_result(at(buffer), 4096) == 0;
  }
  if (is(name, size, "copy outside")) {
    host_db_query(at(buffer), request(buffer));
    return host_copy_result(end - 1, 2);
  }
  if (is(name, size, "copy too much")) {
    host_db_query(at(buffer), request(buffer));
    return host_copy_result(at(buffer), 0xFFFFFFFF);
  }
  if (is(name, size, "copy over everything")) {
    host_db_query(at(buffer), request(buffer));
    host_copy_result(at(control), 16);
    host_copy_result(0, 16);
    return 1;
  }
  if (is(name, size, "copy into what grew")) {
    host_db_query(at(buffer), request(buffer));
    if (__builtin_wasm_memory_grow(0, 1) == (unsigned long)-1) return 1;
    return host_copy_result(end, 65536) != 0;
  }
  if (is(name, size, "query over its request")) {
    const u32 length = request(buffer);
    for (int round = 0; round < 100; ++round) {
      host_db_query(at(buffer), length);
      host_copy_result(at(buffer), length);
    }
    return 1;
  }
  if (is(name, size, "query mutated")) return queryMutated(), 1;
  if (is(name, size, "query random")) return queryRandom(), 1;
  if (is(name, size, "query handles")) return queryHandles(), 1;
  if (is(name, size, "ranges")) {
    // Until one is outside.
    for (;;) {
      const u32 first = somewhere();
      const u32 length = somewhere();
      switch (below(4)) {
        case 0:
          host_db_query(first, length);
          break;
        case 1:
          host_copy_result(first, length);
          break;
        case 2:
          host_log(1 + below(2), first, length);
          break;
        default:
          host_random(first, below(2) ? length : 16);
          break;
      }
    }
  }
  if (is(name, size, "log stream")) return host_log(3, at(buffer), 1), 1;
  if (is(name, size, "log stream zero")) return host_log(0, at(buffer), 1), 1;
  if (is(name, size, "log outside")) return host_log(1, end, 1), 1;
  if (is(name, size, "log its memory")) return host_log(1, 0, end), host_log(2, 0xFFFFFFFF, 0), 1;
  if (is(name, size, "clock")) return host_clock(99) >= 0 && host_clock(0xFFFFFFFF) >= 0;
  if (is(name, size, "random outside")) return host_random(end - 1, 2), 1;
  if (is(name, size, "random too much")) return host_random(at(&__heap_base), 65537), 1;
  if (is(name, size, "random over itself"))
    return host_random(at(control), sizeof control), host_random(0, 1024), 1;
  if (is(name, size, "result outside")) return wordsAt = 0xFFFFFFFC, 1;
  if (is(name, size, "result at the end")) return wordsAt = end - 4, 1;
  if (is(name, size, "result names outside")) return words[0] = 0xFFFFFFF0, words[1] = 0x20, 1;
  if (is(name, size, "result wraps")) return words[0] = 1, words[1] = 0xFFFFFFFF, 1;
  if (is(name, size, "result is nothing anywhere")) return words[0] = 0xFFFFFFFF, words[1] = 0, 1;
  if (is(name, size, "result is its memory")) return words[0] = 0, words[1] = end, 1;
  if (is(name, size, "result unaligned")) {
    memcpy(buffer + 1, words, 8);
    return wordsAt = at(buffer) + 1, 1;
  }
  if (is(name, size, "result loops")) return resultLoops = 1, 1;
  if (is(name, size, "failure outside")) return wordsAt = 0xFFFFFFF8, 0;
  if (is(name, size, "failure names outside")) return words[0] = end - 2, words[1] = 3, 0;
  if (is(name, size, "failure empty")) return words[1] = 0, 0;
  if (is(name, size, "failure malformed")) return answer("{\"kind\":\"error\",\"error\":{"), 0;
  if (is(name, size, "failure not UTF-8"))
    return answer("{\"kind\":\"error\",\"error\":{\"message\":\"\xff\xfe\"}}"), 0;
  if (is(name, size, "failure of wrong types"))
    return answer(
               "{\"kind\":[1],\"error\":{\"message\":{},\"stack\":1,\"errors\":{},\"cause\":[]}}"),
           0;
  if (is(name, size, "failure of an unknown kind"))
    return answer("{\"kind\":\"internal\",\"error\":{\"message\":\"x\"}}"), 0;
  if (is(name, size, "failure stopped")) return answer("{\"kind\":\"stopped\",\"error\":{}}"), 0;
  if (is(name, size, "failure deep")) return failWith("", "[", 100000), 0;
  if (is(name, size, "failure of causes"))
    return failWith("{\"kind\":\"error\",\"error\":", "{\"cause\":", 1000000), 0;
  if (is(name, size, "failure huge")) {
    failWith("{\"kind\":\"error\",\"error\":{\"message\":\"", "xxxxxxxx", 60000000);
    put(words[0] + words[1] - 4, "\"}}");
    --words[1];
    return 0;
  }
  if (is(name, size, "failure of errors"))
    return failWith("{\"kind\":\"error\",\"error\":{\"errors\":[", "{},", 20000000), 0;
  if (is(name, size, "poll says infinity")) return pollAnswer = __builtin_inf(), 1;
  if (is(name, size, "poll says much")) return pollAnswer = 1e300, 1;
  if (is(name, size, "poll says a century")) return pollAnswer = 3e12, 1;
  if (is(name, size, "poll says no number")) return pollAnswer = __builtin_nan(""), 1;
  if (is(name, size, "poll says minus infinity")) return pollAnswer = -__builtin_inf(), 1;
  if (is(name, size, "poll says nothing is due")) return pollAnswer = 0, 1;
  if (is(name, size, "poll says less than a tick")) return pollAnswer = 1e-300, 1;
  if (is(name, size, "poll says never")) return pollAnswer = -3, 1;
  if (is(name, size, "poll loops")) return pollLoops = 1, 1;
  if (is(name, size, "call loops")) return loop(), 1;
  if (is(name, size, "release traps")) return releaseTraps = 1, 1;
  if (is(name, size, "query loops")) {
    for (;;) host_db_query(at(buffer), request(buffer));
  }
  if (is(name, size, "unreachable")) __builtin_trap();
  if (is(name, size, "divide by zero")) {
    volatile u32 seven = 7, zero = 0;
    return seven / zero;
  }
  if (is(name, size, "divide too far")) {
    volatile int32_t least = INT32_MIN, minusOne = -1;
    return (u32)(least / minusOne);
  }
  if (is(name, size, "float to int")) return (u32)__builtin_wasm_trunc_s_i32_f64(__builtin_nan(""));
  if (is(name, size, "float too large")) return (u32)__builtin_wasm_trunc_s_i32_f64(1e300);
  if (is(name, size, "indirect call of nothing")) {
    void (*volatile nothing)(void) = 0;
    return nothing(), 1;
  }
  if (is(name, size, "indirect call outside")) {
    void (*volatile outside)(void) = (void (*)(void))(uintptr_t)0x7FFFFFFF;
    return outside(), 1;
  }
  if (is(name, size, "indirect call of another type")) {
    double (*volatile other)(double, double) =
        (double (*)(double, double))(uintptr_t)setStackPointer;
    return (u32)other(1, 2);
  }
  if (is(name, size, "read outside")) return *(volatile u8*)bytesAt(end) + 1u;
  if (is(name, size, "read far outside")) return *(volatile u8*)bytesAt(0xFFFFFFFF) + 1u;
  if (is(name, size, "write outside")) return *(volatile u8*)bytesAt(end + 65536) = 1, 1;
  if (is(name, size, "recursion")) return recurse(0);
  if (is(name, size, "recursion with frames")) return recurseWide(0);
  if (is(name, size, "stack pointer at zero")) return stackPointerAfter = 0, 1;
  if (is(name, size, "stack pointer outside")) return stackPointerAfter = 0xFFFFFFF0, 1;
  if (is(name, size, "grow by one")) return __builtin_wasm_memory_grow(0, 1) != 1;
  if (is(name, size, "grow to the end")) return fillAllMemory(), 1;
  if (is(name, size, "grow by everything"))
    return __builtin_wasm_memory_grow(0, 65535) == (unsigned long)-1;
  if (is(name, size, "erase itself")) {
    for (u32 where = 0; where < end; ++where) {
      if (where < at(words) || where >= at(words) + 8) *(volatile u8*)bytesAt(where) = 0xFF;
    }
    return 1;
  }
  answer("{\"kind\":\"missing\",\"error\":{}}");
  return 0;
}

void EXPORT(_initialize)(void) {}

u32 EXPORT(ss_allocate)(u32 size) {
  if (allocateAnswers != 1) return allocateAnswers;
  if (heapAt == 0) heapAt = (at(&__heap_base) + 15) & ~15u;
  const u32 first = heapAt;
  const u32 end = (first + size + 31) & ~15u;
  if (end < first || size > 0x7FFFFFFF) return 0;
  while (end > memoryBytes()) {
    if (__builtin_wasm_memory_grow(0, 1) == (unsigned long)-1) return 0;
  }
  // One block at a time; what matters is where it is.
  return first;
}

void EXPORT(ss_release)(u32 block) {
  if (releaseTraps) __builtin_trap();
}

void EXPORT(ss_open)(void) {}
void EXPORT(ss_module)(u32 name, u32 nameSize, u32 source, u32 size) {}
u32 EXPORT(ss_seal)(void) { return 1; }
void EXPORT(ss_settle)(void) {}
u32 EXPORT(ss_start)(u32 options, u32 size) { return 1; }
u32 EXPORT(ss_evaluate)(u32 source, u32 size) { return 1; }

static void set(const char* word, u32 size) {
  if (begins(word, size, "control=")) controlAt = numberIn(word + 8, size - 8);
  if (begins(word, size, "counter=")) control[FUEL_COUNTER_AT] = numberIn(word + 8, size - 8);
  if (begins(word, size, "kind=")) resultKind = numberIn(word + 5, size - 5);
  if (begins(word, size, "allocate=")) allocateAnswers = numberIn(word + 9, size - 9);
  if (begins(word, size, "stack=")) setStackPointer(numberIn(word + 6, size - 6));
  if (is(word, size, "loop")) loop();
  if (is(word, size, "trap")) __builtin_trap();
  if (is(word, size, "recursion")) recurse(0);
  if (is(word, size, "outside")) host_log(1, 0xFFFFFFFF, 2);
  if (is(word, size, "fill")) fillAllMemory();
}

u32 EXPORT(ss_load)(const char* source, u32 size) {
  u32 begin = 0;
  for (u32 i = 0; i <= size; ++i) {
    if (i < size && source[i] != ' ') continue;
    set(source + begin, i - begin);
    begin = i + 1;
  }
  if (is(source, size, "failure")) {
    answer("{\"kind\":\"error\",\"error\":{\"message\":\"said so\"}}");
    return 0;
  }
  return 1;
}

u32 EXPORT(ss_call)(const char* name, u32 nameSize, const char* argument, u32 size, u32 kind) {
  seed = numberIn(argument, size);
  const u32 answered = attack(name, nameSize);
  // Here, where there is no frame whose end would put it back.
  if (stackPointerAfter != 1) setStackPointer(stackPointerAfter);
  return answered;
}

u32 EXPORT(ss_result)(void) {
  if (resultLoops) loop();
  return wordsAt != 0 ? wordsAt : at(words);
}
u32 EXPORT(ss_failure)(void) { return wordsAt != 0 ? wordsAt : at(words); }
u32 EXPORT(ss_result_kind)(void) { return resultKind; }
double EXPORT(ss_poll)(void) {
  // Keeps something on its own stack, wherever that is.
  volatile u8 frame[64];
  frame[0] = 1;
  if (pollLoops) loop();
  return pollAnswer + frame[0] - 1;
}
u32 EXPORT(ss_push)(void) { return 1; }
u32 EXPORT(ss_emit)(u32 kind, u32 size) { return 1; }
u32 EXPORT(ss_emitted)(void) { return at(words); }
#ifndef WITHOUT_CONTROL
u32 EXPORT(ss_control)(void) { return controlAt != 1 ? controlAt : at(control); }
#endif
