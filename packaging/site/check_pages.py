"""Opens every page in Chromium, as wide as a desk and as a phone: check_pages.py SITE SCREENSHOTS

Fails for what is wider than the screen, an error on the console, a broken image, a request to another host, and if the search does
not find a function. Leaves a picture of each page's beginning.
"""

import sys
import tempfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import which

from playwright.sync_api import sync_playwright

SIZES = {"desk": (1400, 900), "phone": (390, 844)}
# As root there is no sandbox; the others keep Chromium itself from calling home.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]
BROKEN_IMAGES = "[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
# The width of the page, and what is to blame: the innermost element that stands out and is in no box that scrolls.
TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width && document.body.scrollWidth <= width) return null;
  const wide = [...document.querySelectorAll('article *')].filter(e => e.getBoundingClientRect().right > width + 1);
  return wide.slice(-1).map(e => e.tagName + ' ' + e.textContent.slice(0, 60)).join() || 'the page';
}"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass


def look(page, base, site, pictures, size):
    faults = []
    place = {"now": ""}
    page.on("console", lambda message: message.type == "error" and faults.append(f"{place['now']}: {message.text}"))
    page.on("pageerror", lambda error: faults.append(f"{place['now']}: {error}"))
    page.on("request", lambda request: request.url.startswith((base, "data:", "blob:"))
            or faults.append(f"{place['now']}: asks for {request.url}"))
    for path in sorted(site.rglob("*.html")):
        name = place["now"] = path.relative_to(site).as_posix()
        page.goto(f"{base}/{name}", wait_until="load")
        if wide := page.evaluate(TOO_WIDE):
            faults.append(f"{name}: wider than a {size}'s screen: {wide}")
        faults += [f"{name}: broken image {image}" for image in page.evaluate(BROKEN_IMAGES)]
        page.screenshot(path=pictures / f"{size}-{name.replace('/', '-').removesuffix('.html')}.png")
    return faults


def search(page, base):
    page.goto(f"{base}/index.html")
    page.keyboard.press("/")
    page.keyboard.type("feast_push")
    page.wait_for_selector(".md-search-result__link[href*='writing']", timeout=20000)
    return []


def main(site, pictures):
    pictures.mkdir(parents=True, exist_ok=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    faults = []
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as profile:
        browser = playwright.chromium.launch_persistent_context(
            profile, executable_path=which("chromium"), headless=True, args=FLAGS)
        for size, (width, height) in SIZES.items():
            page = browser.new_page()
            page.set_viewport_size({"width": width, "height": height})
            faults += [f"{size}: {fault}" for fault in look(page, base, site, pictures, size)]
        faults += search(page := browser.new_page(), base)
        page.screenshot(path=pictures / "search.png")
        browser.close()
    server.shutdown()
    print("\n".join(faults) or f"every page is well at {' and '.join(SIZES)}")
    return bool(faults)


sys.exit(main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()))
