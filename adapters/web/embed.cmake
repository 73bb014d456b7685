# cmake -DOUT=page_data.c -P embed.cmake FILE...: the files of the built page as one C file (page.h).
set(first FALSE)
set(files "")
set(last 0)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(first)
    list(APPEND files "${CMAKE_ARGV${i}}")
  elseif(CMAKE_ARGV${i} MATCHES "embed\\.cmake$")
    set(first TRUE)
  endif()
endforeach()

set(arrays "")
set(table "")
set(n 0)
foreach(file IN LISTS files)
  cmake_path(GET file FILENAME name)
  cmake_path(GET file EXTENSION LAST_ONLY extension)
  if(extension STREQUAL ".html")
    set(type "text/html; charset=utf-8")
  elseif(extension STREQUAL ".js")
    set(type "text/javascript; charset=utf-8")
  elseif(extension STREQUAL ".css")
    set(type "text/css; charset=utf-8")
  elseif(extension STREQUAL ".svg")
    set(type "image/svg+xml")
  else()
    message(FATAL_ERROR "${name}: no content type is known for ${extension}")
  endif()
  file(SHA256 "${file}" hash)
  string(SUBSTRING "${hash}" 0 32 etag)
  file(READ "${file}" hex HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(APPEND arrays "static const unsigned char file_${n}[] = {\n${bytes}\n};\n")
  string(APPEND table "    {\"/${name}\", \"${type}\", \"\\\"${etag}\\\"\", file_${n}, sizeof file_${n}},\n")
  math(EXPR n "${n} + 1")
endforeach()
file(WRITE "${OUT}" "/* Made by adapters/web/embed.cmake from adapters/web/page/dist. */
#include \"adapters/web/page.h\"

${arrays}
const struct page_file page_files[] = {
${table}};
const size_t page_files_count = ${n};
")
