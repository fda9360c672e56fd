"""libfeast_remote for Conan 2, built from the source tarball that stands beside this file: `make packages` lays out both, and
`conan create target/packages/conan` builds. Needs Rust (https://rustup.rs), make, perl and a C compiler on the machine, which
fetches the crates."""

import pathlib
import re

from conan import ConanFile
from conan.errors import ConanException, ConanInvalidConfiguration
from conan.tools.files import copy, rm, rmdir, unzip

TARBALL = "feast_remote-*-source.tar.gz"


class FeastRemote(ConanFile):
    name = "feast_remote"
    description = "Online features from a remote Feast feature server"
    homepage = "https://feast.dev"
    license = "Apache-2.0 AND curl AND Zlib AND MIT AND BSD-3-Clause"
    topics = ("feast", "feature-store", "machine-learning")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False]}
    default_options = {"shared": True}
    exports_sources = TARBALL

    def set_version(self):
        tarballs = list(pathlib.Path(self.recipe_folder).glob(TARBALL))
        if len(tarballs) != 1:
            raise ConanException(f"there must be one {TARBALL} beside the recipe: `make packages` makes target/packages/conan")
        self.version = re.fullmatch(r"feast_remote-(.*)-source\.tar\.gz", tarballs[0].name)[1]

    def configure(self):
        # It is compiled by cargo with the C compiler: neither a C++ library nor a standard matters.
        self.settings.rm_safe("compiler.cppstd")
        self.settings.rm_safe("compiler.libcxx")

    def validate(self):
        if self.settings.os != "Linux":
            raise ConanInvalidConfiguration("libfeast_remote is for Linux")

    def package_id(self):
        self.info.settings.rm_safe("build_type")  # it is always optimised

    def source(self):
        unzip(self, f"feast_remote-{self.version}-source.tar.gz", strip_root=True)

    def build(self):
        self.run("scripts/build.sh")

    def package(self):
        self.run(f'PREFIX="{self.package_folder}" scripts/install.sh')
        copy(self, "LICENSE", self.build_folder, pathlib.Path(self.package_folder, "licenses"))
        copy(self, "THIRD_PARTY.md", self.build_folder, pathlib.Path(self.package_folder, "licenses"))
        lib = pathlib.Path(self.package_folder, "lib")
        rm(self, "*.a" if self.options.shared else "*.so*", lib)
        # Conan writes files for CMake and pkg-config itself.
        rmdir(self, lib / "cmake")
        rmdir(self, lib / "pkgconfig")

    def package_info(self):
        self.cpp_info.libs = ["feast_remote"]
        self.cpp_info.system_libs = [] if self.options.shared else ["pthread", "dl", "m"]
        self.cpp_info.set_property("cmake_file_name", "FeastRemote")
        self.cpp_info.set_property("cmake_target_name", "FeastRemote::feast_remote")
        self.cpp_info.set_property("pkg_config_name", "feast_remote")
