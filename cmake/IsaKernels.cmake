# Compiles the kernels of native/src/cpu/isa once for each instruction set. The sources put all they define into
# namespace dynnet::cpu::DYNNET_ISA; which one runs is chosen at start.
#
# These files include no standard containers: templates are weak symbols, and the linker would keep one copy, compiled
# for the newest set, for everybody.

# Large templates whose loops are written out: -O3 makes them no faster, and takes a quarter longer.
set(DYNNET_WRITTEN_OUT binary elementwise moment outer product)

function(dynnet_add_isa_kernels)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/cpu/isa/*.cc)
  if(NOT sources)
    return()
  endif()
  if(NOT DYNNET_X86)
    dynnet_add_kernels(portable -O3 ${sources})
    return()
  endif()
  list(TRANSFORM DYNNET_WRITTEN_OUT PREPEND ${PROJECT_SOURCE_DIR}/src/cpu/isa/ OUTPUT_VARIABLE written_out)
  list(TRANSFORM written_out APPEND .cc)
  list(REMOVE_ITEM sources ${written_out})
  foreach(isa IN ITEMS v2 v3 v4)
    # -O3 for the unrolling and for what the compiler must vectorise itself.
    dynnet_add_kernels(${isa} -O3 ${sources})
    dynnet_add_kernels(${isa} -O2 ${written_out})
  endforeach()
  # Serves what has not even v2, which hardly any processor is, and lets the other processors' path be tested.
  dynnet_add_kernels(portable -O2 ${sources} ${written_out})
endfunction()

# Sources for an instruction set, at a level of optimisation of Release. A target of their own for each level: what is
# compiled with a precompiled header has to have its flags.
function(dynnet_add_kernels isa level)
  set(target dynnet_cpu_${isa}${level})
  add_library(${target} OBJECT ${ARGN})
  target_link_libraries(${target} PRIVATE dynnet_options)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
  target_compile_definitions(${target} PRIVATE DYNNET_ISA=${isa})
  # No exceptions or type information, since both would pull in shared weak symbols.
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:${level}> -fno-exceptions -fno-rtti)
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
endfunction()
