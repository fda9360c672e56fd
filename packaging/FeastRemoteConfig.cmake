# find_package(FeastRemote) gives FeastRemote::feast_remote and FeastRemote::feast_remote_static. Where only one of the libraries is
# installed, as package managers do, FeastRemote::feast_remote is that one. Paths are relative to this file, so an installed tree
# may be moved.
get_filename_component(_feast_remote_lib "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
get_filename_component(_feast_remote_include "${_feast_remote_lib}/@INCLUDE_FROM_LIB@" ABSOLUTE)

if(NOT TARGET FeastRemote::feast_remote)
  if(EXISTS "${_feast_remote_lib}/libfeast_remote.so.@VERSION@")
    add_library(FeastRemote::feast_remote SHARED IMPORTED)
    set_target_properties(FeastRemote::feast_remote PROPERTIES
      IMPORTED_LOCATION "${_feast_remote_lib}/libfeast_remote.so.@VERSION@"
      IMPORTED_SONAME "libfeast_remote.so.0"
      INTERFACE_INCLUDE_DIRECTORIES "${_feast_remote_include}")
  endif()

  if(EXISTS "${_feast_remote_lib}/libfeast_remote.a")
    add_library(FeastRemote::feast_remote_static STATIC IMPORTED)
    set_target_properties(FeastRemote::feast_remote_static PROPERTIES
      IMPORTED_LOCATION "${_feast_remote_lib}/libfeast_remote.a"
      INTERFACE_LINK_LIBRARIES "pthread;dl;m"
      INTERFACE_INCLUDE_DIRECTORIES "${_feast_remote_include}")
    if(NOT TARGET FeastRemote::feast_remote)
      add_library(FeastRemote::feast_remote INTERFACE IMPORTED)
      set_target_properties(FeastRemote::feast_remote PROPERTIES INTERFACE_LINK_LIBRARIES FeastRemote::feast_remote_static)
    endif()
  endif()
endif()

unset(_feast_remote_lib)
unset(_feast_remote_include)
