# Each target is a script, which says what it takes. They install what they need: scripts/need.sh, scripts/env.sh.
.DEFAULT_GOAL := build
.SILENT:

demo:              ; scripts/demo.sh               # real features from a real Feast server, printed by a C program
demo-inference:    ; scripts/demo-inference.sh      # a model server that fetches its features from a real Feast server
test:              ; scripts/test.sh               # everything that is tested
test-system:       ; scripts/test-system.sh        # the same with the machine's libcurl and OpenSSL
build:             ; scripts/build.sh              # the release library: target/release/libfeast_remote.{so,a}
check:             ; scripts/check.sh              # formatting and lints
asan:              ; scripts/asan.sh               # the C programs with AddressSanitizer and LeakSanitizer in the library
tsan:              ; scripts/tsan.sh               # the tests of threads with ThreadSanitizer
soak:              ; scripts/soak.sh               # ten minutes against a server that does everything wrong at random
fuzz:              ; scripts/fuzz.sh               # odd bytes for each fuzz target: FUZZ_SECONDS=60
bench:             ; scripts/bench.sh compare      # beside libcurl by hand, Go and Feast's Python client
bench-front-doors: ; scripts/bench.sh front_doors  # C, a plugin, C++, Go, Java, Python, beside what one would write there
bench-inference:   ; scripts/bench.sh inference    # three inference servers on a real Feast server: load, and Feast's faults
bench-merging:     ; scripts/bench.sh merging      # calls merged and not, against a real Feast server
bench-servers:     ; scripts/bench.sh servers      # several servers: failover, setting aside, balance, hedging
bench-overload:    ; scripts/bench.sh overload     # more callers than connections, and short deadlines
dashboard:         ; scripts/dashboard.sh         # docs/dashboard.svg, from a real Prometheus
bench-writes:      ; scripts/bench.sh writes       # rows written by this library and by Feast's own client
bench-feast-sdk:   ; scripts/bench.sh feast_sdk    # Feast's Python SDK over its own remote store and over ours
feast-conformance: ; scripts/feast-conformance.sh  # Feast's own tests over both: FEAST_SOURCE=a checkout of Feast
packages:          ; scripts/packages.sh           # all packages, with the natives inside, and checksums: target/packages; PLATFORMS=all
test-packages:     ; scripts/test-packages.sh      # Debian's packages, Conan's recipe and vcpkg's port, installed and used
test-prebuilt:     ; scripts/test-prebuilt.sh      # libraries and packages for all platforms, built and tried
reproducible:      ; scripts/reproducible.sh       # builds and packs twice, and compares the bytes
install:           ; scripts/install.sh            # PREFIX=/usr/local DESTDIR= LIBDIR= INCLUDEDIR=
uninstall:         ; scripts/install.sh uninstall  # the same
dist:              ; scripts/packages.sh c         # of these the tarball of what is installed, with licences and checksums
doxygen:           ; scripts/doxygen.sh            # the manual in HTML: target/doxygen
site:              ; scripts/site.sh               # the documentation as static pages: target/site
site-check:        ; scripts/site.sh check         # the same, and each page opened in a browser
audit:             ; scripts/audit.sh              # which of the libraries inside are behind, or have known vulnerabilities
generate:          ; scripts/generate.sh           # the files that are generated: header, abi/, lists of keys and statistics
env:               ; scripts/need.sh test && scripts/env.sh  # what the tests run against: target/feast-venv and others

.PHONY: asan audit bench bench-feast-sdk bench-front-doors bench-inference bench-merging bench-overload bench-servers bench-writes build check dashboard demo demo-inference dist doxygen env feast-conformance fuzz generate install packages reproducible site site-check soak test test-packages test-prebuilt test-system tsan uninstall
