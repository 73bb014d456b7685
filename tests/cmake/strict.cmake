# `strict`: how every file of this project is compiled, gcc and clang alike. Linked to everything below this line.
add_library(strict INTERFACE)
target_include_directories(strict INTERFACE "${PROJECT_SOURCE_DIR}")
target_compile_definitions(strict INTERFACE _GNU_SOURCE)
target_compile_options(strict INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wcast-align
  -Wformat=2 -Wswitch-enum -Wundef -Wold-style-definition -Wpointer-arith
  -fno-omit-frame-pointer -fno-common)

if(DIALER_SANITIZE STREQUAL "address")
  # Undefined behaviour ends the program: a test that went on after it would prove nothing.
  set(sanitize -fsanitize=address,undefined -fno-sanitize-recover=all)
elseif(DIALER_SANITIZE STREQUAL "thread")
  set(sanitize -fsanitize=thread)
elseif(DIALER_SANITIZE STREQUAL "fuzzer")
  # Coverage for libFuzzer in everything; its main only where tests/fuzz links it.
  set(sanitize -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all)
elseif(DIALER_SANITIZE STREQUAL "")
  set(sanitize)
else()
  message(FATAL_ERROR "DIALER_SANITIZE=${DIALER_SANITIZE}: want empty, address, thread or fuzzer")
endif()
target_compile_options(strict INTERFACE ${sanitize})
target_link_options(strict INTERFACE ${sanitize})

# Hardening for what is shipped. _FORTIFY_SOURCE needs optimisation and quarrels with the sanitizers.
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT DIALER_SANITIZE)
  target_compile_options(strict INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong
    -fstack-clash-protection)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|i[3-6]86")
    target_compile_options(strict INTERFACE -fcf-protection)
  endif()
  target_link_options(strict INTERFACE LINKER:-z,relro,-z,now,-z,noexecstack)
endif()
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

link_libraries(strict)
