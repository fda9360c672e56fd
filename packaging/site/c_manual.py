"""The manual that the C header is, as pages: its head, and its functions by what they are about."""

import re
import textwrap

# Page, title, and the names that stand on it. The first one that matches takes a name.
GROUPS = [
    ("errors", "Errors", r"feast_error_|feast_status_"),
    ("asynchronous", "Calls that do not wait", r"\w*_async$|feast_(queue|event|call)_"),
    ("configuration", "Configuration", r"feast_config_"),
    ("requests", "Requests", r"feast_request_"),
    ("columns", "Matrices, Arrow and DLPack", r"feast_response_(copy|export|to_dlpack|matrix)|feast_get_online_features_into"),
    ("responses", "Responses", r"feast_response_"),
    ("writing", "Writing", r"feast_(frame|write|push)"),
    ("searching", "Searching", r"feast_(search|retrieve)"),
    ("stores", "Stores and calls", r""),
]
ORDER = ["stores", "configuration", "requests", "responses", "columns", "errors", "asynchronous", "writing", "searching"]
NAME = r"\b(?:feast_[a-z]\w*|FEAST_[A-Z]\w*\w)"
ITEM = re.compile(
    r"^/\*\*\n(?P<comment>.*?)\n \*/\n(?P<code>#define [^\n]*|typedef struct \{.*?\n\} \w+;|[^;]*;)", re.S | re.M
)


def write(header, out):
    """Writes the pages; returns where each name is described."""
    text = header.read_text()
    head, body = text[: text.index("*/")], text[text.index("*/") :]
    types, constants, functions = [], [], {name: [] for name, *_ in GROUPS}
    symbols = {}
    for item in ITEM.finditer(body):
        comment = "\n".join(line[3:] for line in item["comment"].split("\n"))
        code = item["code"]
        if code.startswith("#define"):
            name, page, place = code.split()[1], "types", constants
        elif code.startswith("typedef"):
            name = re.search(r"(\w+)\)?(?:\([^()]*\))?;$", code)[1]
            page, place = "types", types
        else:
            name = re.search(r"(\w+)\(", code)[1]
            page = next(page for page, _, pattern in GROUPS if re.match(pattern, name))
            place = functions[page]
        symbols[name] = f"reference/c/{page}.md#{name.lower()}"
        place.append((name, comment, code))
    out.mkdir(parents=True)
    (out / "index.md").write_text(front(head))
    for place, name in enumerate(ORDER):
        title = next(title for page, title, _ in GROUPS if page == name)
        items = "\n".join(described(*item) for item in functions[name])
        (out / f"{name}.md").write_text(f"---\norder: {place}\n---\n\n# {title}\n\n{overview(functions[name])}\n{items}")
    structs = "\n".join(described(*item) for item in types)
    numbers = "".join(row(*item) for item in constants)
    (out / "types.md").write_text(
        f"---\norder: 99\n---\n\n# Types and constants\n\n## Types\n\n{structs}\n## Constants\n\n| name | value | |\n|---|---|---|\n{numbers}"
    )
    return symbols


def front(head):
    """The head of the header: titles in capitals, code that is indented, and text."""
    lines = [line[3:] for line in head.split("\n")[1:]]
    parts = []
    for block in re.split(r"\n\s*\n(?! {4})", "\n".join(lines).strip()):
        if "\n    " in f"\n{block}":
            text, code = re.match(r"(.*?)\n*(^ {4}.*)", block, re.S | re.M).groups()
            parts += [titled(text)] if text else []
            parts.append(f"```c\n{textwrap.dedent(code).rstrip()}\n```")
        else:
            parts.append(titled(block))
    first = parts.pop(0)
    return "# The C manual\n\n" + "\n\n".join([first, *parts]) + "\n"


def titled(text):
    return "## " + text.capitalize() if re.fullmatch(r"[A-Z, ]+", text) else marked(text)


def overview(items):
    rows = "".join(f"| [`{name}`](#{name.lower()}) | {marked(brief(comment))} |\n" for name, comment, _ in items)
    return f"| | |\n|---|---|\n{rows}"


def brief(comment):
    text = re.split(r"\n\n|\n@|\nThread safety", comment)[0].replace("\n", " ")
    return re.split(r"(?<=[.])\s", text)[0]


def described(name, comment, code):
    text, *labelled = re.split(r"^(?=@|Thread safety:|Since:)", comment, flags=re.M)
    parts = [f"## `{name}` {{#{name.lower()}}}" if "(" in code and "typedef" not in code else f"### `{name}` {{#{name.lower()}}}"]
    parts += [f"```c\n{code}\n```", marked(text.strip())]
    rows, ends = [], []
    for label in labelled:
        label = " ".join(label.split())
        if match := re.match(r"@param (\w+) (.*)", label):
            rows.append(f"- `{match[1]}`: {marked(match[2])}")
        elif match := re.match(r"@return (.*)", label):
            rows.append(f"- **returns** {marked(match[1])}")
        else:
            ends.append(marked(label))
    parts += ["\n".join(rows)] if rows else []
    parts += [" ".join(ends) + "\n{.labelled}"] if ends else []
    return "\n\n".join(parts) + "\n"


def row(name, comment, code):
    text = marked(" ".join(comment.split())).replace("|", "\\|")
    return f'| <span id="{name.lower()}"></span>`{name}` | {code.split()[2] if len(code.split()) > 2 else ""} | {text} |\n'


def marked(text):
    """Text as Markdown: names as code, and nothing else that Markdown would see something in."""
    parts = re.split(r"(`[^`]*`)", text)
    for index in range(0, len(parts), 2):
        part = re.sub(r"([\\*<>\[\]])", r"\\\1", parts[index])
        part = re.sub(NAME + r"(?:\(\)| (?:\\\*)+)?", lambda name: f"`{name[0].replace(chr(92), '')}`", part)
        part = re.sub(r"(?<![`\w])(\w+_\w+)(?![\w`])", r"`\1`", part) if "`" not in part else part
        parts[index] = re.sub(r"(?:docs/)?[\w-]+\.md", r"[\g<0>](../../\g<0>)", part)
    return "".join(parts)
