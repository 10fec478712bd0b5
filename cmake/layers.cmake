# One static library for each layer of ARCHITECTURE.md, and one test program beside it.

# schemascript_layer(NAME SOURCES ... LINKS ...): the library `schemascript_NAME`. Headers are included as "NAME/file.h".
function(schemascript_layer name)
  cmake_parse_arguments(layer "" "" "SOURCES;LINKS" ${ARGN})
  add_library(schemascript_${name} STATIC ${layer_SOURCES})
  target_include_directories(schemascript_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(schemascript_${name} PUBLIC ${layer_LINKS})
endfunction()

# schemascript_test(NAME SOURCES ...): the GoogleTest program `NAME-test`, each of its tests known to CTest.
function(schemascript_test name)
  if(NOT BUILD_TESTING)
    return()
  endif()
  cmake_parse_arguments(test "" "" "SOURCES;LINKS" ${ARGN})
  find_package(GTest REQUIRED)
  add_executable(${name}-test ${test_SOURCES})
  target_link_libraries(${name}-test PRIVATE schemascript_${name} ${test_LINKS} GTest::gtest_main)
  include(GoogleTest)
  gtest_discover_tests(${name}-test TEST_PREFIX "${name}/" DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 300)
endfunction()

# schemascript_corpus(TARGET NAME): a GoogleTest program with hundreds of tests that each want an engine, which takes longer to make than
# most of them run: two processes, each with every other test.
function(schemascript_corpus target name)
  foreach(shard 0 1)
    add_test(NAME ${name}-${shard} COMMAND ${target})
    set_tests_properties(${name}-${shard} PROPERTIES
      ENVIRONMENT "GTEST_TOTAL_SHARDS=2;GTEST_SHARD_INDEX=${shard}" TIMEOUT 900)
  endforeach()
endfunction()
