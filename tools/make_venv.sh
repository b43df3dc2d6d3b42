#!/usr/bin/env bash
# Make a virtual environment from the first Python that is new enough.
# Usage: tools/make_venv.sh FOLDER [PYTHON]
set -euo pipefail
folder=$1
wanted=${2:-}

say() {
  echo "$@" >&2
}

new_enough() {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

if [ -n "$wanted" ]; then
  if ! new_enough "$wanted"; then
    say "mlda needs Python 3.11 or newer, and '$wanted' is not: choose another with 'make PYTHON=...'."
    exit 1
  fi
else
  # The pinned versions are tested with 3.11, so that goes first.
  for name in python3.11 python3.12 python3.13 python3.14 python3 python; do
    if new_enough "$name"; then
      wanted=$name
      break
    fi
  done
  if [ -z "$wanted" ]; then
    say "mlda needs Python 3.11 or newer and found none: install it, or say where it is with 'make PYTHON=/path/to/python3.11'."
    exit 1
  fi
fi

make_it() {
  "$wanted" -m venv "$folder"
}

# Debian and Ubuntu ship Python without the part that makes environments.
if ! make_it >&2; then
  rm -rf "$folder"
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "$wanted cannot make virtual environments: installing Debian's package for that."
    version=$("$wanted" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$version-venv"; } >&2 || true
    make_it >&2 && exit 0
    rm -rf "$folder"
  fi
  say "$wanted cannot make virtual environments: on Debian and Ubuntu 'apt-get install python3-venv' mends that."
  exit 1
fi
