# Builds what the sandbox loads, in ${CMAKE_BINARY_DIR}/lib/schemascript: the guest, compiled to WebAssembly and from there ahead of
# time to a shared object, and the base snapshot with the built-in modules.
set(guest_folder ${CMAKE_BINARY_DIR}/lib/schemascript)
file(MAKE_DIRECTORY ${guest_folder})

# A project of its own, because it has another compiler. A new source is named in its CMakeLists.txt, and makes this list anew.
file(GLOB guest_sources ${PROJECT_SOURCE_DIR}/guest/src/*)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/guest/CMakeLists.txt)
add_custom_command(
  OUTPUT ${guest_folder}/guest.wasm
  COMMAND ${CMAKE_COMMAND} -G Ninja -S ${PROJECT_SOURCE_DIR}/guest -B ${CMAKE_BINARY_DIR}/guest --log-level=WARNING
          -DCMAKE_TOOLCHAIN_FILE=${PROJECT_SOURCE_DIR}/guest/toolchain.cmake
          -DQUICKJS_SOURCE_DIR=${QUICKJS_SOURCE_DIR} -DQUICKJS_VERSION=${QUICKJS_VERSION}
  COMMAND ${CMAKE_COMMAND} --build ${CMAKE_BINARY_DIR}/guest
  COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_BINARY_DIR}/guest/guest.wasm ${guest_folder}/guest.wasm
  DEPENDS ${guest_sources} ${PROJECT_SOURCE_DIR}/guest/CMakeLists.txt ${PROJECT_SOURCE_DIR}/guest/toolchain.cmake
          ${QUICKJS_SOURCE_DIR}/quickjs.c
  COMMENT "Compiling QuickJS and the guest to WebAssembly"
  VERBATIM)

# 20 to 30 seconds, unless the same guest was compiled before.
add_custom_command(
  OUTPUT ${guest_folder}/guest.so ${guest_folder}/park.so
  COMMAND ${PROJECT_SOURCE_DIR}/guest/compile-cached $<TARGET_FILE:compile-guest> ${guest_folder}/guest.wasm
          ${guest_folder} ${SCHEMASCRIPT_CACHE_DIR} wasmedge-${WASMEDGE_VERSION}
  DEPENDS compile-guest ${guest_folder}/guest.wasm ${PROJECT_SOURCE_DIR}/guest/compile-cached
          ${PROJECT_SOURCE_DIR}/src/sandbox/compile-guest.cc ${PROJECT_SOURCE_DIR}/src/sandbox/direct-calls.cc
  COMMENT "Compiling the guest ahead of time"
  VERBATIM)

# The bundler says itself what it has read.
add_custom_command(
  OUTPUT ${CMAKE_BINARY_DIR}/guest-modules/manifest.json
  COMMAND node ${PROJECT_SOURCE_DIR}/guest/runtime/build.mjs --out ${CMAKE_BINARY_DIR}/guest-modules
  DEPENDS ${PROJECT_SOURCE_DIR}/guest/runtime/build.mjs ${PROJECT_SOURCE_DIR}/package-lock.json
  DEPFILE ${CMAKE_BINARY_DIR}/guest-modules/manifest.d
  COMMENT "Bundling the built-in modules"
  VERBATIM)

add_custom_command(
  OUTPUT ${guest_folder}/base.snapshot
  COMMAND make-snapshot ${guest_folder} ${CMAKE_BINARY_DIR}/guest-modules
  DEPENDS make-snapshot ${guest_folder}/guest.so ${guest_folder}/park.so ${CMAKE_BINARY_DIR}/guest-modules/manifest.json
  COMMENT "Making the base snapshot"
  VERBATIM)

add_custom_target(guest-files ALL DEPENDS ${guest_folder}/base.snapshot)
