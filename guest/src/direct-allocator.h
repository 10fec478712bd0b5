// Included before QuickJS's own first line, which stays as it is: its four ways to memory become
// weak, so that those of allocator.cc take their place when the guest is linked. QuickJS's call its
// allocator through pointers; WasmEdge executes such a call by one into its runtime, which takes
// locks: a third of the time in which rows become objects.
#pragma weak js_malloc_rt
#pragma weak js_free_rt
#pragma weak js_realloc_rt
#pragma weak js_malloc_usable_size_rt
