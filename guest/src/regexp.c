// QuickJS's regular expressions, which stay as they are. Each execution counts its steps in a
// variable of its own, and ends with giving its stack back: there the count is taken.
#include <libregexp.h>

#include "engine.h"

// Only where the stack of an execution, `s`, is resized; as a function it stays what it is.
#define lre_realloc(opaque, block, size)                                                         \
  ((size) == 0                                                                                   \
       ? (engine_regexp_ended((s)->interrupt_counter), (lre_realloc)((opaque), (block), (size))) \
       : (lre_realloc)((opaque), (block), (size)))
#include <libregexp.c>

const int engine_regexp_steps = INTERRUPT_COUNTER_INIT;
