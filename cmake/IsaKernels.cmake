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
    # -O3 for the unrolling and for what the compiler must vectorise itself, but not for the path that hardly any x86
    # processor takes. No exceptions or type information, since both would pull in shared weak symbols.
    if(NOT (DYNNET_X86 AND isa STREQUAL portable))
      target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O3>)
    endif()
    target_compile_options(${target} PRIVATE -fno-exceptions -fno-rtti)
    if(DYNNET_X86)
      string(REPLACE "-portable" "" march x86-64-${isa})
      target_compile_options(${target} PRIVATE -march=${march})
    endif()
    if(isa STREQUAL v4)
      target_compile_options(${target} PRIVATE -mprefer-vector-width=512
        # GCC 12 takes the undefined pass-through operands of its own intrinsics for mistakes, and forgets in a
        # precompiled header where that is allowed. The other sets' builds keep the warnings.
        -Wno-uninitialized -Wno-maybe-uninitialized)
    endif()
    # The compiler's own header of intrinsics takes longer to read than most kernels to compile.
    target_precompile_headers(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src/cpu/isa/rows.h)
    target_sources(dynnet_engine INTERFACE $<TARGET_OBJECTS:${target}>)
  endforeach()
endfunction()
