/* quickjs.h, with our own in place of four of its functions. Nobody includes that itself.

   A call that only reads what its app's snapshot holds writes to it nevertheless: each use of a function or of an
   object counts a reference, and takes it back. Those pages have to be put back after the call. An object that is
   immortal is not counted: engine_make_immortal() makes those of a snapshot so, which nobody frees anyhow. Its count
   is so large that what counts without these functions, the garbage collector above all, never gets to the end of
   it. Python has them, too: PEP 683. */
#ifndef SCHEMASCRIPT_IMMORTAL_H
#define SCHEMASCRIPT_IMMORTAL_H

#define JS_FreeValue engine_counting_FreeValue
#define JS_FreeValueRT engine_counting_FreeValueRT
#define JS_DupValue engine_counting_DupValue
#define JS_DupValueRT engine_counting_DupValueRT
#ifdef __cplusplus
extern "C" {
#endif
#include <quickjs.h>
#ifdef __cplusplus
}
#endif
#undef JS_FreeValue
#undef JS_FreeValueRT
#undef JS_DupValue
#undef JS_DupValueRT

/* Symbols that are never freed have half of INT32_MAX, which is less. */
#define ENGINE_IMMORTAL 0x40000000

static inline int engine_is_counted(JSValueConst value) {
  return JS_VALUE_HAS_REF_COUNT(value) &&
         ((JSRefCountHeader*)JS_VALUE_GET_PTR(value))->ref_count < ENGINE_IMMORTAL;
}

static inline void JS_FreeValue(JSContext* context, JSValue value) {
  if (engine_is_counted(value) && --((JSRefCountHeader*)JS_VALUE_GET_PTR(value))->ref_count <= 0)
    __JS_FreeValue(context, value);
}

static inline void JS_FreeValueRT(JSRuntime* runtime, JSValue value) {
  if (engine_is_counted(value) && --((JSRefCountHeader*)JS_VALUE_GET_PTR(value))->ref_count <= 0)
    __JS_FreeValueRT(runtime, value);
}

static inline JSValue JS_DupValue(JSContext* context, JSValueConst value) {
  (void)context;
  if (engine_is_counted(value)) ++((JSRefCountHeader*)JS_VALUE_GET_PTR(value))->ref_count;
  return (JSValue)value;
}

static inline JSValue JS_DupValueRT(JSRuntime* runtime, JSValueConst value) {
  (void)runtime;
  if (engine_is_counted(value)) ++((JSRefCountHeader*)JS_VALUE_GET_PTR(value))->ref_count;
  return (JSValue)value;
}

#endif
