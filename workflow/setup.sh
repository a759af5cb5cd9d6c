#!/bin/sh
# Make .venv from requirements.lock with the first suitable Python, or with the one named in $PYTHON.
set -eu
cd "$(dirname "$0")/.."

check='
import sys
if sys.version_info < (3, 11): sys.exit("is %d.%d" % sys.version_info[:2])
try: import ensurepip, venv
except ImportError: sys.exit("lacks its venv module")
'

if [ -n "${PYTHON:-}" ]; then set -- "$PYTHON"; else set -- python3.11 python3.12 python3.13 python3; fi
found= seen=
for python; do
    if ! command -v "$python" >/dev/null; then continue; fi
    if reason=$("$python" -c "$check" 2>&1); then found=$python; break; fi
    seen="$seen  $python $(printf %s "$reason" | tail -n 1);"
done
if [ -z "$found" ]; then
    echo "no suitable Python: 3.11 or newer is needed, with its venv module" >&2
    echo "  looked at  ${seen:-  $* (not found)}" >&2
    echo "  mend it:   Debian, Ubuntu: apt install python3-venv   elsewhere: https://www.python.org/downloads" >&2
    echo "         or  name one: make setup PYTHON=/path/to/python3.11" >&2
    exit 2
fi

quiet=-q
if [ -t 1 ]; then quiet=; fi
echo "installing the packages of requirements.lock into .venv with $("$found" -c 'import sys; print(sys.executable)'): a few minutes"
if [ -e .venv/.installed ] && [ "$(.venv/bin/python -V 2>&1)" = "$("$found" -V)" ]; then
    rm .venv/.installed  # until the update below has come to its end
else
    "$found" -m venv --clear .venv
fi
.venv/bin/python -m pip install $quiet --disable-pip-version-check -r requirements.lock
.venv/bin/python -m pip install $quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
touch .venv/.installed
