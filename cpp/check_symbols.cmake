# Fails the build if an object made for one instruction set defines a symbol that the linker may
# share with other objects: the copy it keeps could hold instructions that the machine lacks.
execute_process(COMMAND ${NM} --defined-only ${OBJECT} OUTPUT_VARIABLE symbols
                RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "${NM} cannot read ${OBJECT}.")
endif()
if(symbols MATCHES " [WVu] ([^\n]*)")
  message(FATAL_ERROR "${OBJECT} must define no weak symbol. Got ${CMAKE_MATCH_1}.")
endif()
