#!/usr/bin/env bash
# The documentation as static pages, with a search, in target/site: site.sh [check]
# With `check` every page is also opened in a browser, at the width of a desk and of a phone; what it looks like is in
# target/site-screenshots. To read the site: python3 -m http.server -d target/site
source "$(dirname "$0")/common.sh"
scripts/need.sh site
scripts/env.sh site
export NO_MKDOCS_2_WARNING=1 SITE=$(realpath -m "$target/site") SITE_REFERENCE=$(realpath -m "$target/site-reference")
rm -rf "$SITE_REFERENCE"
"$target/site-venv/bin/python" packaging/site/reference.py "$SITE_REFERENCE"
"$target/site-venv/bin/mkdocs" --quiet build --strict --clean --config-file packaging/site/mkdocs.yml
"$target/site-venv/bin/python" packaging/site/check_links.py "$SITE"
[[ ${1-} != check ]] || "$target/site-venv/bin/python" packaging/site/check_pages.py "$SITE" "$target/site-screenshots"
