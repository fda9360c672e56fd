# find_package(FeastRemote) gives FeastRemote::feast_remote and FeastRemote::feast_remote_static. Paths are relative to
# this file, so an installed tree may be moved.
get_filename_component(_feast_remote_lib "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
get_filename_component(_feast_remote_include "${_feast_remote_lib}/@INCLUDE_FROM_LIB@" ABSOLUTE)

if(NOT TARGET FeastRemote::feast_remote)
  add_library(FeastRemote::feast_remote SHARED IMPORTED)
  set_target_properties(FeastRemote::feast_remote PROPERTIES
    IMPORTED_LOCATION "${_feast_remote_lib}/libfeast_remote.so.@VERSION@"
    IMPORTED_SONAME "libfeast_remote.so.0"
    INTERFACE_INCLUDE_DIRECTORIES "${_feast_remote_include}")

  add_library(FeastRemote::feast_remote_static STATIC IMPORTED)
  set_target_properties(FeastRemote::feast_remote_static PROPERTIES
    IMPORTED_LOCATION "${_feast_remote_lib}/libfeast_remote.a"
    INTERFACE_LINK_LIBRARIES "pthread;dl;m"
    INTERFACE_INCLUDE_DIRECTORIES "${_feast_remote_include}")
endif()

unset(_feast_remote_lib)
unset(_feast_remote_include)
