# find_package(schemascript): the target schemascript::schemascript.
include("${CMAKE_CURRENT_LIST_DIR}/schemascriptTargets.cmake")
