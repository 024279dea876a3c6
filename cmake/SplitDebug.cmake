# Moves the debug information of a Release library into <library>.dbg, which debuggers find by the link left behind.
# The names of functions stay: profilers want them, and so does the test that disassembles the library.

function(dynnet_split_debug target)
  if(NOT CMAKE_BUILD_TYPE STREQUAL Release OR NOT CMAKE_OBJCOPY)
    return()
  endif()
  add_custom_command(TARGET ${target} POST_BUILD
    COMMAND ${CMAKE_OBJCOPY} --only-keep-debug $<TARGET_FILE:${target}> $<TARGET_FILE:${target}>.dbg
    COMMAND ${CMAKE_OBJCOPY} --strip-debug --add-gnu-debuglink=$<TARGET_FILE:${target}>.dbg $<TARGET_FILE:${target}>
    VERBATIM)
endfunction()
