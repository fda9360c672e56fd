"""Debian's copyright file, in its machine-readable form, of THIRD_PARTY.md: debian_copyright.py <THIRD_PARTY.md >copyright"""

import re
import sys

notices = sys.stdin.read()
rows = [line.strip("| ").split(" | ") for line in notices.splitlines() if line.startswith("| ")][1:]
texts = dict(re.findall(r"^## (.*?)\n\n```text\n(.*?)\n```$", notices, re.M | re.S))


def indented(text: str) -> str:
    return "\n".join(f" {line}" if line.strip() else " ." for line in text.splitlines())


def holders(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if re.search(r"copyright (\(c\)|©|\d)|\(c\) \d", line, re.I)]
    lines = [re.sub("and many$", "and many contributors", line) for line in lines]
    return "\n  ".join(re.sub(r"^copyright +(\(c\)|©)? *|^\(c\) *", "", line, flags=re.I) for line in lines)


print("Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/")
print("Upstream-Name: libfeast_remote")
print("Source: https://feast.dev")
print("Comment: The library is linked from its own sources and those of these components,\n which cargo fetches. What is offered under"
      " Apache-2.0, too, is used under that\n licence.")
for name, version, licence in rows:
    print(f"  {name} {version}: {licence}")
print("\nFiles: *\nCopyright: the authors of libfeast_remote and of the components above\nLicense: Apache-2.0\n"
      " On Debian systems the whole text of the Apache License, Version 2.0, is in\n /usr/share/common-licenses/Apache-2.0.")
for name, version, licence in rows:
    if name in texts:
        # A name of its own where the text is, since each has other copyright holders in it.
        print(f"\nFiles: vendor/{name}/*\nCopyright: {holders(texts[name]) or 'the authors of ' + name}")
        print(f"License: {licence.split(' AND ')[-1].split(' OR ')[-1]}-{name}\n{indented(texts[name])}")
