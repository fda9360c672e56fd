"""Doxygen's XML of a language's classes, as a page for each."""

import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

KINDS = {"class", "struct", "interface", "enum"}
MEMBERS = {"function", "variable", "typedef", "enum"}
OPTIONS = {
    "GENERATE_HTML": "NO",
    "GENERATE_LATEX": "NO",
    "GENERATE_XML": "YES",
    "XML_PROGRAMLISTING": "NO",
    "EXTRACT_ALL": "YES",
    "JAVADOC_AUTOBRIEF": "YES",
    "AUTOLINK_SUPPORT": "NO",
    "QUIET": "YES",
    "WARNINGS": "NO",
    "WARN_LOGFILE": "/dev/null",
}


def write(root, options, out, lexer, language):
    if not (root / options["INPUT"]).exists():
        return
    with tempfile.TemporaryDirectory() as folder:
        settings = OPTIONS | options | {"OUTPUT_DIRECTORY": folder}
        text = "".join(f"{key} = {value}\n" for key, value in settings.items())
        subprocess.run(["doxygen", "-"], input=text, text=True, cwd=root, check=True, stdout=subprocess.DEVNULL)
        compounds = [
            ElementTree.parse(f"{folder}/xml/{entry.get('refid')}.xml").getroot().find("compounddef")
            for entry in ElementTree.parse(f"{folder}/xml/index.xml").getroot()
            if entry.get("kind") in KINDS | {"namespace"}
        ]
    compounds = {name_of(compound): compound for compound in compounds if compound.get("prot", "public") == "public"}
    out.mkdir(parents=True)
    rows = []
    for name, compound in sorted(compounds.items()):
        body = members(compound, lexer)
        is_namespace = compound.get("kind") == "namespace"
        if is_namespace and not body:
            continue
        about = "What belongs to no class." if is_namespace else description(compound)
        title = f"namespace {name}" if is_namespace else name
        page = name.replace("<", "_").replace(">", "").replace(" ", "").replace(".", "-").replace("::", "-")
        (out / f"{page}.md").write_text(f"# {title}\n\n{about}\n\n{body}")
        first = about.split("\n\n")[0].replace("\n", " ").replace("|", "\\|")
        rows.append(f"| [{title}]({page}.md) | {first if not first.startswith('```') else ''} |\n")
    (out / "index.md").write_text(f"# Reference of {language}\n\n| | |\n|---|---|\n" + "".join(rows))


def name_of(compound):
    full = compound.findtext("compoundname")
    for prefix in ("feast::remote::", "feast::"):
        full = full.removeprefix(prefix)
    return full.replace("::", ".") if compound.get("language") == "Java" else full


def members(compound, lexer):
    """Each name with all its overloads; those with the same words once."""
    groups = {}
    for section in compound.iter("sectiondef"):
        for member in section.findall("memberdef"):
            if member.get("prot") == "public" and member.get("kind") in MEMBERS:
                groups.setdefault(member.findtext("name"), []).append(member)
    parts = []
    for name, group in groups.items():
        parts.append(f"## `{name}`")
        code = []
        for member in group:
            code.append(declaration(member))
            if text := description(member):
                parts.append(fenced("\n".join(code), lexer))
                parts.append(text)
                code = []
        if code:
            parts.append(fenced("\n".join(code), lexer))
    return "\n\n".join(parts) + "\n" if parts else ""


def declaration(member):
    if member.get("kind") == "enum":
        values = ", ".join(value.findtext("name") for value in member.findall("enumvalue"))
        return f"enum {member.findtext('name')} {{ {values} }}"
    words = [plain(member.find("type")), member.findtext("name") + (member.findtext("argsstring") or "")]
    if member.get("static") == "yes":
        words.insert(0, "static")
    if member.get("kind") == "typedef":
        return f"using {member.findtext('name')} = {plain(member.find('type'))};"
    value = plain(member.find("initializer"))
    text = " ".join(word for word in words if word) + (f" {value}" if value.startswith("=") and len(value) < 60 else "")
    template = member.find("templateparamlist")
    if template is not None:
        names = [" ".join(filter(None, [plain(p.find("type")), p.findtext("declname")])) for p in template]
        text = f"template <{', '.join(names)}>\n{text}"
    return text + ";"


def fenced(code, lexer):
    return f"```{lexer}\n{code}\n```"


def plain(element):
    return "" if element is None else "".join(element.itertext()).strip()


def description(element):
    parts = [markdown(element.find(kind)) for kind in ("briefdescription", "detaileddescription")]
    return "\n\n".join(part for part in parts if part).strip()


def markdown(element):
    """Doxygen's marked text as Markdown, in blocks."""
    if element is None:
        return ""
    blocks, text = [], [escaped(element.text)]

    def end():
        if block := "".join(text).strip():
            blocks.append(block)
        text.clear()

    for child in element:
        if child.tag in ("para", "sect1", "sect2", "simplesect", "parameterlist", "itemizedlist", "orderedlist", "programlisting", "verbatim", "preformatted", "table"):
            end()
            blocks.append(block_of(child))
        elif child.tag == "computeroutput":
            text.append(f"`{plain(child)}`")
        elif child.tag == "linebreak":
            text.append("\n")
        elif child.tag == "ref":
            text.append(f"`{plain(child)}`" if not child.get("external") else plain(child))
        elif child.tag == "ulink":
            text.append(f"[{plain(child)}]({child.get('url')})")
        elif child.tag in ("ndash", "mdash"):
            text.append("--" if child.tag == "ndash" else "---")
        else:
            text.append(escaped(plain(child)))
        text.append(escaped(child.tail))
    end()
    return "\n\n".join(block for block in blocks if block)


def block_of(child):
    if child.tag in ("programlisting", "verbatim", "preformatted"):
        lines = ["".join(" " if piece.tag == "sp" else (piece.text or "") for piece in line.iter()) for line in child.findall("codeline")]
        return "```text\n" + ("\n".join(lines) or plain(child)) + "\n```"
    if child.tag in ("itemizedlist", "orderedlist"):
        return "\n".join("- " + markdown(item).replace("\n", "\n  ") for item in child.findall("listitem"))
    if child.tag == "parameterlist":
        title = "throws " if child.get("kind") == "exception" else ""
        rows = []
        for item in child.findall("parameteritem"):
            names = ", ".join(f"`{plain(name)}`" for name in item.iter("parametername"))
            rows.append(f"- {title}{names}: {markdown(item.find('parameterdescription'))}")
        return "\n".join(rows)
    if child.tag == "simplesect":
        kind = {"return": "returns", "see": "see", "since": "since"}.get(child.get("kind"), child.get("kind"))
        return f"- **{kind}** {markdown(child)}"
    return markdown(child)


def escaped(text):
    text = text or ""
    for character in "\\*_<>[]`":
        text = text.replace(character, "\\" + character)
    return text
