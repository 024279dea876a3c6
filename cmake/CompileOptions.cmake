# Flags shared by every target of the engine. dynnet_options is an interface target: linking it is opting in.

# The code is kept free of warnings with GCC 12, where they are always errors. What another compiler warns of must not
# break a user's build: there warnings are errors only where asked for, as CI and `build.sh test` do.
set(strict OFF)
if((CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION MATCHES "^12\\.") OR "$ENV{CI}" STREQUAL true)
  set(strict ON)
endif()
option(DYNNET_WARNINGS_AS_ERRORS "Fail the build on compiler warnings" ${strict})
set(DYNNET_SANITIZE "" CACHE STRING "Sanitizers to build with, as in -fsanitize=")

add_library(dynnet_options INTERFACE)
target_compile_features(dynnet_options INTERFACE cxx_std_20)
target_compile_options(dynnet_options INTERFACE
  -Wall -Wextra -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align -Wnull-dereference -Wundef
  # GCC 12 sees overruns that are not there once it has inlined the standard containers.
  $<$<CXX_COMPILER_ID:GNU>:-Wshadow=local;-Wno-stringop-overflow;-Wno-array-bounds;-Wno-restrict>
  # A multiply and an add fuse only where the source says so: results must not depend on the compiler's mood.
  -ffp-contract=off
  # Nobody replaces our symbols at load time, so calls within the library need no indirection.
  -fno-semantic-interposition)
if(DYNNET_WARNINGS_AS_ERRORS)
  target_compile_options(dynnet_options INTERFACE -Werror)
endif()

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  set(DYNNET_X86 ON)
else()
  set(DYNNET_X86 OFF)
endif()

# -g1 keeps line tables for stack traces; the package carries them in a separate file.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g -D_GLIBCXX_ASSERTIONS")
set(CMAKE_CXX_FLAGS_SANITIZE "-O1 -g -fno-omit-frame-pointer -D_GLIBCXX_ASSERTIONS")
if(DYNNET_SANITIZE)
  target_compile_options(dynnet_options INTERFACE
    -fsanitize=${DYNNET_SANITIZE} -fno-sanitize-recover=all
    # The sanitizers' instrumentation confuses these two into false alarms.
    -Wno-null-dereference -Wno-maybe-uninitialized)
  target_link_options(dynnet_options INTERFACE -fsanitize=${DYNNET_SANITIZE})
endif()

# Not remembered, so that ccache may come and go.
find_program(DYNNET_CCACHE ccache NO_CACHE)
if(DYNNET_CCACHE AND CMAKE_HOST_UNIX)
  # The environment's hints let ccache see through precompiled headers. (cmake -E env would take 30 ms a file.)
  set(CMAKE_CXX_COMPILER_LAUNCHER
    env CCACHE_SLOPPINESS=pch_defines,time_macros ${DYNNET_CCACHE})
endif()
