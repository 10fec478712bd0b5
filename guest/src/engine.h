/* What quickjs.c and libregexp.c are included with: two of QuickJS's private numbers for fuel.cc,
   and what libregexp.c tells it. C, since QuickJS is. */
#ifndef SCHEMASCRIPT_ENGINE_H
#define SCHEMASCRIPT_ENGINE_H

#include <stddef.h>

#include "immortal.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Counts down with each jump and each call; the interrupt handler is called where it is 0 or less.
   Has been set to 10,000 then. */
int* engine_interrupt_counter(JSContext* context);
/* `error` is an Error. */
void engine_mark_uncatchable(JSValueConst error, int uncatchable);
/* From now on the objects and functions that there are live for ever; see immortal.h. */
void engine_make_immortal(JSRuntime* runtime);
/* So many steps of a regular expression before lre_check_timeout is called. */
extern const int engine_regexp_steps;
/* What remains of those when an expression has been executed. */
void engine_regexp_ended(int steps_left);

#ifdef __cplusplus
}
#endif

#endif
