# Sets _feast_remote_lib to where cargo builds the library, by the target feast_remote_build: when it is needed, and again when a
# source changes. Into the build tree; nothing is written among the sources.
get_filename_component(_feast_remote_root "${CMAKE_CURRENT_SOURCE_DIR}/../.." ABSOLUTE)
if(NOT EXISTS "${_feast_remote_root}/Cargo.toml")
  message(FATAL_ERROR "There is neither a library in ${CMAKE_CURRENT_SOURCE_DIR}/lib nor are there sources to build one from in "
    "${_feast_remote_root}. Set FEAST_REMOTE_LIBRARY_DIR to a folder with libfeast_remote.so.0 or libfeast_remote.a.")
endif()
find_program(FEAST_REMOTE_CARGO cargo HINTS "$ENV{HOME}/.cargo/bin")
if(NOT FEAST_REMOTE_CARGO)
  message(FATAL_ERROR "libfeast_remote is built by cargo, which is not there: install Rust 1.89 or newer (https://rustup.rs), or set "
    "FEAST_REMOTE_LIBRARY_DIR to a folder with libfeast_remote.so.0 or libfeast_remote.a.")
endif()

get_filename_component(_feast_remote_cargo_folder "${FEAST_REMOTE_CARGO}" DIRECTORY)
set(_feast_remote_lib "${CMAKE_CURRENT_BINARY_DIR}/cargo/release")
file(GLOB_RECURSE _feast_remote_sources CONFIGURE_DEPENDS "${_feast_remote_root}/src/*.rs")
add_custom_command(
  OUTPUT "${_feast_remote_lib}/libfeast_remote.so" "${_feast_remote_lib}/libfeast_remote.so.0" "${_feast_remote_lib}/libfeast_remote.a"
  # As everybody's library is built, with SONAME, version node and all; see the script.
  COMMAND "${CMAKE_COMMAND}" -E env --unset=CARGO_BUILD_TARGET "CARGO_TARGET_DIR=${CMAKE_CURRENT_BINARY_DIR}/cargo"
    "PATH=${_feast_remote_cargo_folder}:$ENV{PATH}" scripts/build.sh
  WORKING_DIRECTORY "${_feast_remote_root}"
  DEPENDS ${_feast_remote_sources} "${_feast_remote_root}/Cargo.toml" "${_feast_remote_root}/Cargo.lock" "${_feast_remote_root}/build.rs"
    "${_feast_remote_root}/scripts/build.sh" "${_feast_remote_root}/packaging/merge-static" "${_feast_remote_root}/packaging/link-shared"
  COMMENT "Building libfeast_remote with cargo"
  USES_TERMINAL VERBATIM)
add_custom_target(feast_remote_build DEPENDS "${_feast_remote_lib}/libfeast_remote.so.0" "${_feast_remote_lib}/libfeast_remote.a")
