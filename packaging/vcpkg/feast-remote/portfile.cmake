# Builds the source tarball that stands beside this file. cargo, which must be on the machine, fetches the crates.
vcpkg_extract_source_archive(SOURCE_PATH ARCHIVE "${CURRENT_PORT_DIR}/feast_remote-@VERSION@-source.tar.gz")

find_program(CARGO cargo PATHS "$ENV{CARGO_HOME}/bin" "$ENV{HOME}/.cargo/bin" REQUIRED)
get_filename_component(CARGO_FOLDER "${CARGO}" DIRECTORY)
vcpkg_add_to_path("${CARGO_FOLDER}")

# It is always optimised.
set(VCPKG_BUILD_TYPE release)
set(VCPKG_POLICY_MISMATCHED_NUMBER_OF_BINARIES enabled)
set(ENV{CARGO_TARGET_DIR} "${CURRENT_BUILDTREES_DIR}/cargo")
vcpkg_execute_required_process(
  COMMAND scripts/build.sh
  WORKING_DIRECTORY "${SOURCE_PATH}"
  LOGNAME "build-${TARGET_TRIPLET}")
set(ENV{PREFIX} "${CURRENT_PACKAGES_DIR}")
vcpkg_execute_required_process(
  COMMAND scripts/install.sh
  WORKING_DIRECTORY "${SOURCE_PATH}"
  LOGNAME "install-${TARGET_TRIPLET}")

if(VCPKG_LIBRARY_LINKAGE STREQUAL "static")
  file(GLOB OTHER "${CURRENT_PACKAGES_DIR}/lib/libfeast_remote.so*")
else()
  set(OTHER "${CURRENT_PACKAGES_DIR}/lib/libfeast_remote.a")
endif()
file(REMOVE ${OTHER})
vcpkg_cmake_config_fixup(PACKAGE_NAME FeastRemote CONFIG_PATH lib/cmake/FeastRemote)
# It finds the libraries from where it stands, which is in another folder now.
vcpkg_replace_string("${CURRENT_PACKAGES_DIR}/share/FeastRemote/FeastRemoteConfig.cmake"
  [[${CMAKE_CURRENT_LIST_DIR}/../..]] [[${CMAKE_CURRENT_LIST_DIR}/../../lib]])
vcpkg_fixup_pkgconfig()
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE" "${SOURCE_PATH}/THIRD_PARTY.md")
file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
