# Sets _feast_remote_lib to the package's folder for the machine that is compiled for, lib/RUST_TARGET.
include(CheckCXXSymbolExists)

string(TOLOWER "${CMAKE_SYSTEM_PROCESSOR}" _feast_remote_processor)
if(_feast_remote_processor MATCHES "^(x86_64|amd64)$")
  set(_feast_remote_processor x86_64)
elseif(_feast_remote_processor MATCHES "^(aarch64|arm64)$")
  set(_feast_remote_processor aarch64)
endif()
check_cxx_symbol_exists(__GLIBC__ features.h FEAST_REMOTE_ON_GLIBC)
if(FEAST_REMOTE_ON_GLIBC)
  set(_feast_remote_target "${_feast_remote_processor}-unknown-linux-gnu")
else()
  set(_feast_remote_target "${_feast_remote_processor}-unknown-linux-musl")
endif()

set(_feast_remote_lib "${CMAKE_CURRENT_SOURCE_DIR}/lib/${_feast_remote_target}")
if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux" OR NOT EXISTS "${_feast_remote_lib}")
  file(GLOB _feast_remote_there RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}/lib" "${CMAKE_CURRENT_SOURCE_DIR}/lib/*")
  message(FATAL_ERROR "This package of libfeast_remote has no library for ${CMAKE_SYSTEM_NAME}, ${_feast_remote_target}; "
    "it has those for ${_feast_remote_there}. Build one from the sources (`make build`), and name its folder with "
    "-DFEAST_REMOTE_LIBRARY_DIR=.../target/release.")
endif()
