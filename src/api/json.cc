// Boost.JSON, compiled here: Debian's archive of it is for programs only, not for shared libraries.
#include <boost/json/src.hpp>
