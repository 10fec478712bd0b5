// Included before QuickJS's own first line, which stays as it is: what is named here becomes weak, so that what
// the guest has of the same name takes its place when it is linked.
//
// The four ways to memory (allocator.cc): QuickJS's call its allocator through pointers; WasmEdge executes such a
// call by one into its runtime, which takes locks: a third of the time in which rows become objects.
#pragma weak js_malloc_rt
#pragma weak js_free_rt
#pragma weak js_realloc_rt
#pragma weak js_malloc_usable_size_rt
// What fuel is counted with (fuel.cc).
#pragma weak lre_check_timeout
#pragma weak JS_SetUncatchableError
