"""That each link in the built pages leads somewhere, and that no page asks anybody else for anything: check_links.py SITE"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.links, self.loaded, self.anchors = [], [], {""}
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors |= {attributes[name] for name in ("id", "name") if attributes.get(name)}
        if tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])
        elif tag == "link" and attributes.get("rel") not in ("canonical", "next", "prev"):
            self.loaded.append(attributes["href"])
        elif tag in ("script", "img", "iframe", "source") and "src" in attributes:
            self.loaded.append(attributes["src"])


def main(site):
    pages = {path.resolve(): Page(path) for path in site.rglob("*.html")}
    faults = []
    for path, page in pages.items():
        name = path.relative_to(site)
        if name.name == "404.html":  # shown at any depth, so its links begin at the root
            continue
        faults += [f"{name}: asks another host for {url}" for url in page.loaded if urlsplit(url).netloc]
        for url in page.links + page.loaded:
            parts = urlsplit(url)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            if not target.exists():
                faults.append(f"{name}: nothing at {url}")
            elif target in pages and unquote(parts.fragment) not in pages[target].anchors | {"__top"}:
                faults.append(f"{name}: no such anchor: {url}")
    print("\n".join(sorted(set(faults))) or f"{len(pages)} pages, {sum(len(page.links) for page in pages.values())} links")
    return bool(faults)


sys.exit(main(Path(sys.argv[1]).resolve()))
