# The targets `wasmedge` and `wasmedge_compiler`: the same library, with and without LLVM in the process. setup/ has
# found or brought it and says where in setup.cmake.

if(NOT WASMEDGE_LIBRARY)
  include(${CMAKE_BINARY_DIR}/setup.cmake OPTIONAL RESULT_VARIABLE setup_file)
  if(NOT setup_file)
    message(FATAL_ERROR "Run `make`, or `setup/setup --out ${CMAKE_BINARY_DIR}` before cmake: it brings WasmEdge and QuickJS.")
  endif()
endif()

foreach(target wasmedge wasmedge_compiler)
  add_library(${target} INTERFACE)
  target_include_directories(${target} SYSTEM INTERFACE ${WASMEDGE_INCLUDE_DIR})
  target_link_libraries(${target} INTERFACE ${WASMEDGE_LIBRARY})
  if(WASMEDGE_DYNAMIC_LINKER)
    # A private prefix with a libc of its own, newer than the machine's: everything else of the process runs on it too.
    # Where it is installed, the program gets another one; the blank room for its name is slashes, which mean nothing.
    string(REPEAT "/" 256 room)
    target_link_options(${target} INTERFACE
      -Wl,--dynamic-linker=$<$<BOOL:$<TARGET_PROPERTY:SCHEMASCRIPT_INSTALLED>>:${room}>${WASMEDGE_DYNAMIC_LINKER}
      -Wl,--allow-shlib-undefined)
  endif()
endforeach()

# Only the ahead-of-time compiler calls LLVM. For everything else a library of aborting functions takes its place,
# which saves each start of the program 15 to 25 ms. DT_RPATH, not DT_RUNPATH: it must hold for libwasmedge's own needs.
set(rpath ${WASMEDGE_LIBRARY_DIR})
if(LLVM_STUB_DIR)
  set(rpath ${LLVM_STUB_DIR}:${rpath})
endif()
target_link_options(wasmedge INTERFACE -Wl,--disable-new-dtags
  $<$<NOT:$<BOOL:$<TARGET_PROPERTY:SCHEMASCRIPT_INSTALLED>>>:-Wl,-rpath,${rpath}>)
string(REPLACE ":" ";" rpath "${rpath}")
set_property(GLOBAL PROPERTY schemascript_build_rpath ${rpath})
if(NOT WASMEDGE_PREFIX AND NOT WASMEDGE_LIBRARY_DIR MATCHES "^/usr/lib")
  set_property(GLOBAL PROPERTY schemascript_install_rpath ${WASMEDGE_LIBRARY_DIR})
endif()
target_link_options(wasmedge_compiler INTERFACE -Wl,--disable-new-dtags -Wl,-rpath,${WASMEDGE_LIBRARY_DIR})

# schemascript_installed(TARGET RUNTIME): a target that is installed. There it finds WasmEdge in the folder RUNTIME, which cmake/install.cmake
# fills; here, as all others do. CMake changes the one into the other, so it has to know of it.
function(schemascript_installed target runtime)
  get_property(build_rpath GLOBAL PROPERTY schemascript_build_rpath)
  get_property(install_rpath GLOBAL PROPERTY schemascript_install_rpath)
  list(PREPEND install_rpath ${runtime})
  set_target_properties(${target} PROPERTIES
    SCHEMASCRIPT_INSTALLED ON BUILD_RPATH "${build_rpath}" INSTALL_RPATH "${install_rpath}")
endfunction()
