// QuickJS itself, which stays as it is, and the way to what is private in it.
#include "engine.h"

#include <quickjs.c>

int* engine_interrupt_counter(JSContext* context) { return &context->interrupt_counter; }

void engine_mark_uncatchable(JSValueConst error, int uncatchable) {
  JS_VALUE_GET_OBJ(error)->is_uncatchable_error = uncatchable != 0;
}

// Not strings: some of their references are given back without JS_FreeValue, and would be counted down for ever.
void engine_make_immortal(JSRuntime* runtime) {
  struct list_head* each;
  list_for_each(each, &runtime->gc_obj_list) {
    JSGCObjectHeader* const object = list_entry(each, JSGCObjectHeader, link);
    const int is_value = object->gc_obj_type == JS_GC_OBJ_TYPE_JS_OBJECT ||
                         object->gc_obj_type == JS_GC_OBJ_TYPE_FUNCTION_BYTECODE;
    if (is_value && object->ref_count < ENGINE_IMMORTAL) object->ref_count += ENGINE_IMMORTAL;
  }
}
