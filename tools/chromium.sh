#!/usr/bin/env bash
# Print the path of a Chromium for the browser tests; install one where there is none.
# Usage: tools/chromium.sh [BIN]    BIN: the folder that holds playwright's command
set -euo pipefail
bin=${1:-.venv/bin}

find_on_path() {
  local name
  for name in "${MLDA_CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
    [ -n "$name" ] && command -v "$name" && return 0
  done
  return 1
}

find_playwrights() {
  "$bin/python" - <<'PYTHON'
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

with sync_playwright() as playwright:
    path = playwright.chromium.executable_path
if not Path(path).is_file():
    sys.exit(1)
print(path)
PYTHON
}

find_on_path && exit 0
find_playwrights && exit 0

echo "No Chromium found: installing one for the browser tests." >&2
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  # On Ubuntu the package only points to a snap, so look again rather than trust the exit code.
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; } >&2 || true
  find_on_path && exit 0
fi
"$bin/playwright" install chromium >&2 && find_playwrights && exit 0

echo "The browser tests need Chromium: install chromium or google-chrome, or set MLDA_CHROMIUM to its path." >&2
exit 1
