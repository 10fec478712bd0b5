// QuickJS itself, which stays as it is, and the way to what is private in it.
#include "engine.h"

#include <quickjs.c>

int* engine_interrupt_counter(JSContext* context) { return &context->interrupt_counter; }

void engine_mark_uncatchable(JSValueConst error, int uncatchable) {
  JS_VALUE_GET_OBJ(error)->is_uncatchable_error = uncatchable != 0;
}
