# Functions the folders use.
#
# dialer_program(NAME [INSTALL bin|libexec] SOURCES ... LIBS ...)
#   A program in ${DIALER_BIN_DIR}, position independent, installed when INSTALL is given.
#
# dialer_test(NAME SOURCES ... LIBS ... SUITE <suite> [TIMEOUT seconds] [BUSY] [SERIAL] [TSAN] [NEEDS program...] [ENV A=B...])
#   One cmocka executable, one subject. It prints TAP and is run from the source tree's top.
#   SUITE   what `./run test SUITE` selects (LABEL is the same word).
#   TIMEOUT default 300 s, 900 for the busy ones: for what hangs, so far above what a loaded machine needs.
#   TSAN    also part of the ThreadSanitizer run; SUITE core always is.
#   NEEDS   programs it starts; their paths arrive as environment variables, ari-sim as ARI_SIM.
#   Two lanes run beside each other (tests/house/lanes.json), two places in each:
#   BUSY    computes and waits for nothing: it has the lowest priority there is, and uses what the waiting ones leave.
#   without it, whatever lives in real time: sockets, services, whole daemons. It meets only one other such test, and busy ones,
#   which yield to it.
#   SERIAL  takes both places of its lane: a waiting test with bars on time, many threads or processes; a busy one that
#           starts a process for each processor itself.
#
# dialer_script_test(NAME COMMAND ... SUITE <suite> [TIMEOUT seconds] [BUSY] [SERIAL] [NEEDS program...] [ENV A=B...])
#   The same for a script that prints TAP.

# The tests ("suite name timeout", what `./run test` compares its TAP files with) and the programs that are installed.
set_property(GLOBAL PROPERTY DIALER_TEST_LIST "")
set_property(GLOBAL PROPERTY DIALER_PROGRAM_LIST "")

add_custom_target(programs)
add_custom_target(tests)

function(dialer_program name)
  cmake_parse_arguments(P "" "INSTALL" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${P_SOURCES} ${P_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${P_LIBS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${DIALER_BIN_DIR}")
  add_dependencies(programs ${name})
  if(P_INSTALL STREQUAL "libexec")
    install(TARGETS ${name} RUNTIME DESTINATION "${CMAKE_INSTALL_LIBEXECDIR}/dialerd")
  elseif(P_INSTALL)
    install(TARGETS ${name} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
    set_property(GLOBAL APPEND PROPERTY DIALER_PROGRAM_LIST ${name})
  endif()
endfunction()

# Registers an existing command as a test; the two public functions below end here.
function(dialer_register name suite timeout busy serial needs env)
  if(busy)
    set(lane busy)
    set(first nice -n 19)
  else()
    set(lane clock)
    set(first "")
  endif()
  # Those that want a whole lane come first: a single place would never leave them both.
  if(serial)
    set(places 2)
    set(cost 2)
  else()
    set(places 1)
    set(cost 1)
  endif()
  if(NOT timeout AND busy)
    set(timeout 900)
  elseif(NOT timeout)
    set(timeout 300)
  endif()
  set(vars "CMOCKA_MESSAGE_OUTPUT=TAP" ${env})
  foreach(program IN LISTS needs)
    string(TOUPPER "${program}" var)
    string(REPLACE "-" "_" var "${var}")
    list(APPEND vars "${var}=${DIALER_BIN_DIR}/${program}")
  endforeach()
  add_test(NAME ${name} COMMAND "${PROJECT_SOURCE_DIR}/tests/house/tap.sh" ${name} ${first} ${ARGN}
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  set_tests_properties(${name} PROPERTIES LABELS "${suite}" TIMEOUT ${timeout} ENVIRONMENT "${vars}"
    RESOURCE_GROUPS "${lane}:${places}" COST ${cost} SKIP_RETURN_CODE 77)
  set_property(GLOBAL APPEND PROPERTY DIALER_TEST_LIST "${suite} ${name} ${timeout}")
  if(NOT TARGET suite-${suite})
    add_custom_target(suite-${suite})
  endif()
  foreach(program IN LISTS needs)
    add_dependencies(tests ${program})
    add_dependencies(suite-${suite} ${program})
  endforeach()
endfunction()

function(dialer_test name)
  cmake_parse_arguments(T "BUSY;SERIAL;TSAN" "SUITE;LABEL;TIMEOUT" "SOURCES;LIBS;NEEDS;ENV" ${ARGN})
  if(NOT DIALER_TESTS)
    return()
  endif()
  if(T_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "dialer_test(${name}): unknown words: ${T_UNPARSED_ARGUMENTS}")
  endif()
  set(suite "${T_SUITE}${T_LABEL}")
  if(NOT suite OR NOT T_SOURCES)
    message(FATAL_ERROR "dialer_test(${name}): SUITE and SOURCES are needed")
  endif()
  if(DIALER_SANITIZE STREQUAL "thread" AND NOT T_TSAN AND NOT suite STREQUAL "core")
    return()
  endif()
  add_executable(${name} ${T_SOURCES})
  target_link_libraries(${name} PRIVATE ${T_LIBS} PkgConfig::CMOCKA)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests-bin")
  dialer_register(${name} ${suite} "${T_TIMEOUT}" "${T_BUSY}" "${T_SERIAL}" "${T_NEEDS}" "${T_ENV}" $<TARGET_FILE:${name}>)
  add_dependencies(tests ${name})
  add_dependencies(suite-${suite} ${name})
endfunction()

function(dialer_script_test name)
  cmake_parse_arguments(T "BUSY;SERIAL" "SUITE;TIMEOUT" "COMMAND;NEEDS;ENV" ${ARGN})
  if(NOT DIALER_TESTS OR DIALER_SANITIZE STREQUAL "thread")
    return()
  endif()
  if(NOT T_SUITE OR NOT T_COMMAND OR T_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "dialer_script_test(${name}): SUITE and COMMAND are needed; unknown: ${T_UNPARSED_ARGUMENTS}")
  endif()
  dialer_register(${name} ${T_SUITE} "${T_TIMEOUT}" "${T_BUSY}" "${T_SERIAL}" "${T_NEEDS}" "${T_ENV}" ${T_COMMAND})
endfunction()

# Every target below a folder, for the lint's link check.
function(dialer_targets_below dir out)
  get_property(found DIRECTORY "${dir}" PROPERTY BUILDSYSTEM_TARGETS)
  get_property(children DIRECTORY "${dir}" PROPERTY SUBDIRECTORIES)
  foreach(child IN LISTS children)
    dialer_targets_below("${child}" below)
    list(APPEND found ${below})
  endforeach()
  set(${out} "${found}" PARENT_SCOPE)
endfunction()

# Writes what the scripts read: the list of tests, and each target's folder with what it links.
function(dialer_finish)
  get_property(list GLOBAL PROPERTY DIALER_TEST_LIST)
  list(JOIN list "\n" text)
  file(GENERATE OUTPUT "${CMAKE_BINARY_DIR}/tests.list" CONTENT "${text}\n")
  get_property(list GLOBAL PROPERTY DIALER_PROGRAM_LIST)
  list(JOIN list "\n" text)
  if(text)
    string(APPEND text "\n")
  endif()
  file(WRITE "${CMAKE_BINARY_DIR}/programs.list" "${text}")

  dialer_targets_below("${PROJECT_SOURCE_DIR}" targets)
  set(lines "")
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "UTILITY" OR target STREQUAL "strict")
      continue()
    endif()
    get_target_property(dir ${target} SOURCE_DIR)
    cmake_path(RELATIVE_PATH dir BASE_DIRECTORY "${PROJECT_SOURCE_DIR}")
    get_target_property(private ${target} LINK_LIBRARIES)
    get_target_property(public ${target} INTERFACE_LINK_LIBRARIES)
    set(links ${private} ${public})
    list(FILTER links EXCLUDE REGEX "NOTFOUND|^strict$")
    list(TRANSFORM links REPLACE "\\$<LINK_ONLY:(.*)>" "\\1")
    list(REMOVE_DUPLICATES links)
    list(JOIN links " " links)
    string(APPEND lines "${dir} ${target} ${links}\n")
  endforeach()
  file(WRITE "${CMAKE_BINARY_DIR}/links.list" "${lines}")
endfunction()
