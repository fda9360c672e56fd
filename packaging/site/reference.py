"""The reference of each language as Markdown pages: reference.py OUT. And OUT/symbols.json: where each name is described."""

import json
import re
import subprocess
import sys
from pathlib import Path

import c_manual
import doxygen_pages

ROOT = Path(__file__).resolve().parents[2]
CPP = {
    "INPUT": "bindings/cpp/include",
    "FILE_PATTERNS": "*.hpp",
    "RECURSIVE": "YES",
    # Comments with two slashes are documentation.
    "INPUT_FILTER": "\"sed '/^ *[/][/] /s|//|///|'\"",
    "MACRO_EXPANSION": "YES",
    "INCLUDE_PATH": "bindings/cpp/include",
    "PREDEFINED": "__cpp_exceptions",
    "EXCLUDE_SYMBOLS": "*detail*",
}
JAVA = {
    "INPUT": "bindings/java/src/main/java",
    "FILE_PATTERNS": "*.java",
    "EXCLUDE_PATTERNS": "*/module-info.java",
    "RECURSIVE": "YES",
    "INPUT_FILTER": "\"python3 packaging/site/java_records.py\"",
    "OPTIMIZE_OUTPUT_JAVA": "YES",
}


def go(out):
    module = ROOT / "bindings/go"
    folders = {path.parent for path in module.rglob("*.go") if not path.stem.endswith("_test")}
    for folder in sorted(folder for folder in folders if "internal" not in folder.parts):
        command = ["go", "run", Path(__file__).with_name("go_reference.go"), folder]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        if text.startswith("# Package main\n"):
            continue
        (out / "go").mkdir(exist_ok=True)
        (out / "go" / f"{text.split()[2]}.md").write_text(text)


def python(out):
    if (ROOT / "bindings/python").exists():
        (out / "python").mkdir()
        (out / "python/index.md").write_text("# Reference of Python\n\n::: feast_remote\n")


def main(out):
    symbols = c_manual.write(ROOT / "include/feast_remote.h", out / "c")
    keys = re.findall(r"^\| `([\w.]+)` \|", (ROOT / "CONFIGURATION.md").read_text(), re.M)
    symbols |= {key: f"CONFIGURATION.md#{key}" for key in keys if "_" in key or "." in key}
    (out / "symbols.json").write_text(json.dumps(symbols))
    doxygen_pages.write(ROOT, CPP, out / "cpp", "cpp", "C++")
    doxygen_pages.write(ROOT, JAVA, out / "java", "java", "Java")
    go(out)
    python(out)


main(Path(sys.argv[1]))
