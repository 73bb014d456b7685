# The libraries, all Debian 12 packages, as imported targets:
#   PkgConfig::CK PkgConfig::HIREDIS PkgConfig::PQ PkgConfig::WEBSOCKETS PkgConfig::MSGPACK PkgConfig::SQLITE
#   PkgConfig::SODIUM PkgConfig::CMOCKA PkgConfig::OPENSSL (tests only) nng::nng Threads::Threads
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(CK REQUIRED IMPORTED_TARGET ck>=0.7)
pkg_check_modules(HIREDIS REQUIRED IMPORTED_TARGET hiredis>=0.14)
pkg_check_modules(PQ REQUIRED IMPORTED_TARGET libpq>=14)
pkg_check_modules(WEBSOCKETS REQUIRED IMPORTED_TARGET libwebsockets>=4.1)
pkg_check_modules(MSGPACK REQUIRED IMPORTED_TARGET msgpack>=4)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3>=3.35)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium>=1.0.18)
find_package(nng 1.5 CONFIG REQUIRED)
if(DIALER_TESTS)
  pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka>=1.1)
  pkg_check_modules(OPENSSL REQUIRED IMPORTED_TARGET openssl>=3) # libwebsockets-dev brings it
endif()
