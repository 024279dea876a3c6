# Compiles the kernels of native/src/cpu/isa once for each instruction set. The sources put all they define into
# namespace dynnet::cpu::DYNNET_ISA; which one runs is chosen at start.
#
# These files include no standard containers: templates are weak symbols, and the linker would keep one copy, compiled
# for the newest set, for everybody.

function(dynnet_add_isa_kernels)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/cpu/isa/*.cc)
  if(NOT sources)
    return()
  endif()
  if(DYNNET_X86)
    # "portable" serves what has not even v2, and lets the other processors' path be tested.
    set(isas v2 v3 v4 portable)
  else()
    set(isas portable)
  endif()
  foreach(isa IN LISTS isas)
    set(target dynnet_cpu_${isa})
    add_library(${target} OBJECT ${sources})
    target_link_libraries(${target} PRIVATE dynnet_options)
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
    target_compile_definitions(${target} PRIVATE DYNNET_ISA=${isa})
    # -O3 for the unrolling; no exceptions or type information, since both would pull in shared weak symbols.
    target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O3> -fno-exceptions -fno-rtti)
    if(DYNNET_X86)
      string(REPLACE "-portable" "" march x86-64-${isa})
      target_compile_options(${target} PRIVATE -march=${march})
    endif()
    if(isa STREQUAL v4)
      target_compile_options(${target} PRIVATE -mprefer-vector-width=512)
    endif()
    target_sources(dynnet_engine INTERFACE $<TARGET_OBJECTS:${target}>)
  endforeach()
endfunction()
