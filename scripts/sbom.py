"""A bill of materials in CycloneDX's format, on standard output.

sbom.py RUSTC_VERSION CRATES < the output of `cargo metadata`, where CRATES are those inside, a line each: NAME VERSION
"""

import json
import os
import re
import sys
import tomllib
import uuid
from datetime import UTC, datetime
from pathlib import Path

# What the three C libraries are called in lists of known vulnerabilities, and who makes them.
C_LIBRARIES = {
    "libcurl": ("curl", "haxx:libcurl", "https://curl.se"),
    "OpenSSL": ("Apache-2.0", "openssl:openssl", "https://openssl-library.org"),
    "zlib": ("Zlib", "zlib:zlib", "https://zlib.net"),
}


def main(metadata, rustc, inside, time):
    packages = {package["id"]: package for package in metadata["packages"]}
    [root] = metadata["workspace_default_members"]
    edges = linked(metadata, packages, root, inside)
    checksums = {
        (package["name"], package["version"]): package.get("checksum")
        for package in tomllib.loads(Path("Cargo.lock").read_text())["package"]
    }
    reference = {package: f"pkg:cargo/{packages[package]['name']}@{packages[package]['version']}" for package in edges}
    reference[root] = f"pkg:generic/libfeast_remote@{packages[root]['version']}"
    components = [crate(packages[package], reference[package], checksums) for package in edges if package != root]
    depends = {reference[package]: [reference[other] for other in others] for package, others in edges.items()}

    libraries = {name: c_library(name, version) for name, version in versions_of_c_libraries(packages.values()).items()}
    components += libraries.values()
    refs = {name: library["bom-ref"] for name, library in libraries.items()}
    for crate_name, library in [("curl-sys", "libcurl"), ("openssl-sys", "OpenSSL"), ("libz-sys", "zlib")]:
        next(others for ref, others in depends.items() if ref.startswith(f"pkg:cargo/{crate_name}@")).append(refs[library])
    depends |= {refs["libcurl"]: [refs["OpenSSL"], refs["zlib"]], refs["OpenSSL"]: [], refs["zlib"]: []}

    std = f"pkg:generic/rust-std@{rustc}"
    components.append(
        {"type": "library", "bom-ref": std, "name": "Rust's standard library", "version": rustc, "purl": std,
         "licenses": [{"expression": "MIT OR Apache-2.0"}]}
    )
    depends[std] = []
    depends[reference[root]].append(std)

    itself = {
        "type": "library", "bom-ref": reference[root], "name": "libfeast_remote", "version": packages[root]["version"],
        "description": packages[root]["description"], "purl": reference[root], "licenses": [{"expression": packages[root]["license"]}],
    }
    bom = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"timestamp": time, "component": itself},
        "components": sorted(components, key=lambda component: component["bom-ref"]),
        "dependencies": [{"ref": ref, "dependsOn": sorted(others)} for ref, others in sorted(depends.items())],
    }
    bom["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(bom, sort_keys=True)).urn
    return bom


def linked(metadata, packages, root, inside):
    """The crates whose code is in the library, each with those that it uses."""

    def is_inside(package):
        return f"{packages[package]['name']} {packages[package]['version']}" in inside

    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    edges, left = {}, [root]
    while left:
        package = left.pop()
        if package in edges:
            continue
        used = [dep["pkg"] for dep in nodes[package]["deps"] if any(kind["kind"] is None for kind in dep["dep_kinds"])]
        edges[package] = [other for other in used if is_inside(other)]
        left += edges[package]
    return edges


def crate(package, reference, checksums):
    return {
        "type": "library", "bom-ref": reference, "name": package["name"], "version": package["version"], "purl": reference,
        "licenses": [{"expression": package["license"].replace("/", " OR ")}],
        "hashes": [{"alg": "SHA-256", "content": checksums[package["name"], package["version"]]}],
    }


def versions_of_c_libraries(packages):
    """Their crates say the versions, zlib's in its header."""
    found = {package["name"]: package for package in packages}
    header = Path(found["libz-sys"]["manifest_path"]).with_name("src") / "zlib/zlib.h"
    return {
        "libcurl": found["curl-sys"]["version"].split("+curl-")[1],
        "OpenSSL": found["openssl-src"]["version"].split("+")[1],
        "zlib": re.search(r'ZLIB_VERSION "([^"]*)"', header.read_text())[1],
    }


def c_library(name, version):
    licence, cpe, url = C_LIBRARIES[name]
    reference = f"pkg:generic/{name.lower()}@{version}"
    return {
        "type": "library", "bom-ref": reference, "name": name, "version": version, "purl": reference,
        "cpe": f"cpe:2.3:a:{cpe}:{version}:*:*:*:*:*:*:*", "licenses": [{"license": {"id": licence}}],
        "externalReferences": [{"type": "website", "url": url}],
    }


rustc = sys.argv[1].split()[1]
time = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
json.dump(main(json.load(sys.stdin), rustc, set(sys.argv[2].splitlines()), time), sys.stdout, indent=2, ensure_ascii=False)
print()
