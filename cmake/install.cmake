# `cmake --install build --prefix PREFIX`: the program, the library with its headers, and everything that they need of this build and of the
# cache. Nothing of the installation refers to either afterwards.
include(CMakePackageConfigHelpers)
include(${CMAKE_BINARY_DIR}/setup.cmake OPTIONAL)

set(guest_folder ${CMAKE_BINARY_DIR}/lib/schemascript)
set(runtime_folder lib/schemascript/runtime)

install(TARGETS schemascript RUNTIME DESTINATION bin)
install(TARGETS schemascript_library EXPORT schemascriptTargets LIBRARY DESTINATION lib)
install(FILES include/schemascript/schemascript.h src/base/limits.h ${CMAKE_BINARY_DIR}/include/schemascript/version.h
        DESTINATION include/schemascript)
install(FILES ${guest_folder}/base.snapshot DESTINATION lib/schemascript)
install(PROGRAMS ${guest_folder}/guest.so ${guest_folder}/park.so ${guest_folder}/esbuild DESTINATION lib/schemascript)
install(FILES LICENSE NOTICE docs/embed.md DESTINATION share/doc/schemascript)
install(FILES node_modules/esbuild/LICENSE.md DESTINATION share/doc/schemascript/licenses RENAME esbuild)

# WasmEdge of the version that has compiled the guest, with the stub of LLVM; on a machine that runs it with a C library of its own, that too,
# whole: what the embedding program links to beside us must not get half of another one.
set(libraries)
if(LLVM_STUB_DIR)
  file(GLOB libraries ${LLVM_STUB_DIR}/*.so ${LLVM_STUB_DIR}/*.so.*)
endif()
set(loader_options)
if(WASMEDGE_PREFIX)
  foreach(name anl dl mvec nss_compat nss_dns nss_files nss_hesiod pthread resolv rt thread_db util)
    file(GLOB found ${WASMEDGE_LIBRARY_DIR}/lib${name}.so.*)
    list(APPEND libraries ${found})
  endforeach()
  foreach(package libwasmedge0 libc6 libstdc++6 libgcc-s1 libspdlog1.15 libfmt10 zlib1g libzstd1)
    get_filename_component(copyright ${WASMEDGE_PREFIX}/usr/share/doc/${package}/copyright REALPATH)
    if(EXISTS ${copyright})
      install(FILES ${copyright} DESTINATION share/doc/schemascript/licenses RENAME ${package})
    endif()
  endforeach()
  get_filename_component(loader ${WASMEDGE_DYNAMIC_LINKER} NAME)
  set(loader_options "-Wl,--dynamic-linker=@LIB@/schemascript/runtime/${loader}" -Wl,--disable-new-dtags
      "-Wl,-rpath,@LIB@/schemascript/runtime" -Wl,--allow-shlib-undefined)
  install(CODE "
    execute_process(
      COMMAND \"${PROJECT_SOURCE_DIR}/cmake/set-loader\" \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/bin/schemascript\"
              \"\${CMAKE_INSTALL_PREFIX}/${runtime_folder}/${loader}\"
      COMMAND_ERROR_IS_FATAL ANY)")
endif()
foreach(library ${libraries})
  get_filename_component(name ${library} NAME)
  get_filename_component(file ${library} REALPATH)
  install(PROGRAMS ${file} DESTINATION ${runtime_folder} RENAME ${name})
endforeach()

# What a program that links to the library needs beside it: the target schemascript::schemascript, and schemascript.pc.
string(REPLACE "@LIB@" "$<INSTALL_PREFIX>/lib" target_options "${loader_options}")
foreach(option ${target_options})
  target_link_options(schemascript_library INTERFACE $<INSTALL_INTERFACE:${option}>)
endforeach()
install(EXPORT schemascriptTargets NAMESPACE schemascript:: DESTINATION lib/cmake/schemascript)
configure_file(cmake/schemascriptConfig.cmake ${CMAKE_BINARY_DIR}/package/schemascriptConfig.cmake COPYONLY)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/package/schemascriptConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/package/schemascriptConfig.cmake ${CMAKE_BINARY_DIR}/package/schemascriptConfigVersion.cmake
        DESTINATION lib/cmake/schemascript)

string(REPLACE "@LIB@" "\${libdir}" pkgconfig_options "${loader_options}")
list(JOIN pkgconfig_options " " SCHEMASCRIPT_LOADER_OPTIONS)
configure_file(cmake/schemascript.pc.in ${CMAKE_BINARY_DIR}/package/schemascript.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/package/schemascript.pc DESTINATION lib/pkgconfig)
