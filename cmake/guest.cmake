# Builds what the sandbox loads, in ${CMAKE_BINARY_DIR}/lib/schemascript: the guest, compiled to WebAssembly and from there ahead of
# time to a shared object, and the base snapshot with the built-in modules.
include(ExternalProject)

set(guest_folder ${CMAKE_BINARY_DIR}/lib/schemascript)
file(MAKE_DIRECTORY ${guest_folder})

ExternalProject_Add(guest
  SOURCE_DIR ${PROJECT_SOURCE_DIR}/guest
  BINARY_DIR ${CMAKE_BINARY_DIR}/guest
  PREFIX ${CMAKE_BINARY_DIR}/guest-project
  CMAKE_ARGS -DCMAKE_TOOLCHAIN_FILE=${PROJECT_SOURCE_DIR}/guest/toolchain.cmake
             -DQUICKJS_SOURCE_DIR=${QUICKJS_SOURCE_DIR} -DQUICKJS_VERSION=${QUICKJS_VERSION}
  BUILD_ALWAYS ON
  # In one step, and only if it differs: what depends on guest.wasm is built again when it changed, and only then.
  BUILD_COMMAND ${CMAKE_COMMAND} --build .
  COMMAND ${CMAKE_COMMAND} -E copy_if_different ${CMAKE_BINARY_DIR}/guest/guest.wasm ${guest_folder}/guest.wasm
  BUILD_BYPRODUCTS ${guest_folder}/guest.wasm
  INSTALL_COMMAND "")

# 20 to 30 seconds, unless the same guest was compiled before.
add_custom_command(
  OUTPUT ${guest_folder}/guest.so ${guest_folder}/park.so
  COMMAND ${PROJECT_SOURCE_DIR}/guest/compile-cached $<TARGET_FILE:compile-guest> ${guest_folder}/guest.wasm
          ${guest_folder} ${SCHEMASCRIPT_CACHE_DIR} wasmedge-${WASMEDGE_VERSION}
  DEPENDS compile-guest ${guest_folder}/guest.wasm ${PROJECT_SOURCE_DIR}/guest/compile-cached
          ${PROJECT_SOURCE_DIR}/src/sandbox/compile-guest.cc
  COMMENT "Compiling the guest ahead of time"
  VERBATIM)

file(GLOB_RECURSE built_in_sources CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/guest/runtime/src/* ${PROJECT_SOURCE_DIR}/packages/schemascript/src/*)
add_custom_command(
  OUTPUT ${CMAKE_BINARY_DIR}/guest-modules/manifest.json
  COMMAND node ${PROJECT_SOURCE_DIR}/guest/runtime/build.mjs --out ${CMAKE_BINARY_DIR}/guest-modules
  DEPENDS ${built_in_sources} ${PROJECT_SOURCE_DIR}/guest/runtime/build.mjs ${PROJECT_SOURCE_DIR}/package-lock.json
  COMMENT "Bundling the built-in modules"
  VERBATIM)

add_custom_command(
  OUTPUT ${guest_folder}/base.snapshot
  COMMAND make-snapshot ${guest_folder} ${CMAKE_BINARY_DIR}/guest-modules
  DEPENDS make-snapshot ${guest_folder}/guest.so ${guest_folder}/park.so ${CMAKE_BINARY_DIR}/guest-modules/manifest.json
  COMMENT "Making the base snapshot"
  VERBATIM)

add_custom_target(guest-files ALL DEPENDS ${guest_folder}/base.snapshot)
