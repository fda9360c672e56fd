"""Which files of the repository are pages, and where the links between them go.

Pages keep their paths, so that the links in them are right in the repository and on the site. A file or folder that a page links to
and that is no page itself, such as an example, becomes one that shows it.
"""

import json
import os
import re
from pathlib import Path
from posixpath import dirname, normpath, relpath

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = Path(os.environ["SITE_REFERENCE"])
PAGES = ["*.md", "docs/*.md", "bindings/*/README.md", "examples/*/README.md"]
# The manual is made of it, so whoever follows a link to it wants that.
INSTEAD = {"include/feast_remote.h": "reference/c/index.md"}
LANGUAGES = {"c": "C", "cpp": "C++", "go": "Go", "java": "Java", "python": "Python"}
LEXERS = {".h": "c", ".hpp": "cpp", ".rs": "rust", ".py": "python", ".yml": "yaml", ".sh": "bash", ".mod": "go", ".txt": "text"}
IMAGES = {".svg", ".png"}
# Larger files are not shown.
LARGEST = 200_000
LINK = re.compile(r"\]\(([^)#\s:]+)(#[^)\s]*)?\)")

symbols = json.loads((REFERENCE / "symbols.json").read_text())


def pages():
    """The path in the site of each page that is a file, and the file."""
    found = {path.relative_to(ROOT).as_posix(): path for pattern in PAGES for path in ROOT.glob(pattern)}
    found |= {"reference/" + path.relative_to(REFERENCE).as_posix(): path for path in REFERENCE.rglob("*.md")}
    return found


def linked(page, text):
    """The path in the repository of what each relative link of a page goes to."""
    return {normpath(f"{dirname(page)}/{link}" if dirname(page) else link) for link, _ in LINK.findall(text)}


def shown(path):
    """A page that shows a file or folder of the repository."""
    file = ROOT / path
    head = f"---\nsearch:\n  exclude: true\nhide: [navigation]\n---\n# {path}\n\n"
    if file.is_dir():
        return head + "".join(f"- [{entry.name}]({entry.name})\n" for entry in entries(file))
    lexer = LEXERS.get(file.suffix, file.suffix[1:])
    return f"{head}``````{lexer}\n{file.read_text()}\n``````\n"


def entries(folder):
    found = (entry for entry in folder.iterdir() if entry.name != "__pycache__" and not entry.name.startswith("."))
    return sorted(entry for entry in found if entry.stat().st_size <= LARGEST)


def page_of(path):
    """The name of the page for a path in the repository."""
    if path in INSTEAD:
        return INSTEAD[path]
    if (ROOT / path).is_dir():
        return f"{path}/README.md" if (ROOT / path / "README.md").exists() else f"{path}/index.md"
    return path if path.endswith(".md") else f"{path.lstrip('.')}.md"


def on_config(config):
    languages = next(section["Languages"] for section in config.nav if "Languages" in section)
    for language, name in LANGUAGES.items():
        readme = f"bindings/{language}/README.md"
        begin = [{f"Begin with {name}": readme}] if (ROOT / readme).exists() else []
        reference = sorted((REFERENCE / language).glob("*.md"), key=lambda page: (page.stem != "index", order(page)))
        if begin or reference:
            languages.append({name: begin + ["reference/" + page.relative_to(REFERENCE).as_posix() for page in reference]})
    return config


def order(page):
    """Where a page wants to stand: the C manual's pages say so, others are in the order of their names."""
    match = re.match(r"---\norder: (\d+)\n", page.read_text())
    return (int(match[1]) if match else 0, page.stem)


def on_files(files, config):
    for file in [file for file in files if file.src_dir == config.docs_dir]:
        files.remove(file)
    found = pages()
    for path, source in found.items():
        files.append(File.generated(config, path, abs_src_path=str(source)))
    files.append(File.generated(config, "site.css", abs_src_path=str(Path(__file__).with_name("site.css"))))
    wanted, seen = set(), set()
    for path, source in found.items():
        wanted |= linked(path, source.read_text())
    while wanted:
        path = wanted.pop()
        file = ROOT / path
        if path in seen or path.startswith("..") or page_of(path) in found or not file.exists():
            continue
        if file.stat().st_size > LARGEST:
            continue
        seen.add(path)
        if file.suffix in IMAGES:
            files.append(File.generated(config, path, abs_src_path=str(file)))
            continue
        files.append(File.generated(config, page_of(path), content=shown(path)))
        if file.is_dir():
            wanted |= {entry.relative_to(ROOT).as_posix() for entry in entries(file)}
    return files


def on_page_markdown(markdown, page, config, files):
    here = page.file.src_uri

    def rewritten(match):
        path = normpath(f"{dirname(here)}/{match[1]}" if dirname(here) else match[1])
        if path.endswith(".md") or Path(path).suffix in IMAGES or files.get_file_from_path(page_of(path)) is None:
            return match[0]
        return f"]({relpath(page_of(path), dirname(here) or '.')}{match[2] or ''})"

    return LINK.sub(rewritten, markdown)


def on_page_content(html, page, config, files):
    """Names of the C interface and of configuration keys in the text lead to where they are described."""
    here = page.url

    def link(match):
        name = match[1]
        target, anchor = symbols[name].split("#") if name in symbols else (None, None)
        if target is None or (target == page.file.src_uri and match[0].startswith("<td>")):
            return match[0]
        url = files.get_file_from_path(target).url
        return f'<a href="{"" if url == here else relpath(url, dirname(here) or ".")}#{anchor}">{match[0]}</a>'

    if page.file.src_uri == "CONFIGURATION.md":
        html = re.sub(r"<td><code>([a-z_.A-Z]+)</code></td>\n<td>(?!<code>)", r'<td id="\1"><code>\1</code></td>\n<td>', html)
    if page.file.src_uri in ("CHANGELOG.md", "CONFIGURATION.md"):
        return html
    parts = re.split(r"(<(a|pre|h\d)\b.*?</\2>)", html, flags=re.S)
    for index in range(0, len(parts), 3):
        parts[index] = re.sub(r"<code>([A-Za-z_][\w.]*)(?:\(\))?</code>", link, parts[index])
    return "".join(part for index, part in enumerate(parts) if index % 3 != 2)
