#!/bin/sh
# Prints the path of a Python that can run Holdfast, or says in one sentence what to install and exits with 1.
#
# Order: $PYTHON, PATH, pyenv's versions, uv's, the usual places. Every candidate is run before it is believed: a pyenv
# shim or a link left behind by an upgrade has the right name and no Python behind it.
set -u

# 3.13: mitmproxy 12 and Presidio resolve together only from there. Below 3.15: Presidio and numpy end there.
# Free-threaded builds and other implementations lack wheels of what is locked.
PROBE='
import sys, sysconfig
if not (3, 13) <= sys.version_info[:2] < (3, 15):
    sys.exit(3)
if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
    sys.exit(3)
try:
    import ensurepip, sqlite3, ssl, venv
except ImportError:
    sys.exit(4)
print(sys.executable)
'
# 3.13 stands before 3.14 because it is the one that CI runs.
NAMES='python3.13 python3.14 python3 python'
PLACES=${FIND_PYTHON_PLACES-/usr/local/bin /opt/homebrew/bin /opt/local/bin /usr/bin}
incomplete=

# Prints the interpreter's own path and exits when the candidate $1 suits; returns otherwise.
try() {
    [ -n "$1" ] || return 0
    found=$("$1" -I -c "$PROBE" </dev/null 2>/dev/null)
    case $? in
        0) [ -n "$found" ] && printf '%s\n' "$found" && exit 0 ;;
        4) [ -n "$incomplete" ] || incomplete=$1 ;;
    esac
    return 0
}

# The home folder, also where HOME is unset (env -i).
home() {
    if [ -n "${HOME:-}" ]; then
        printf '%s\n' "$HOME"
    elif command -v getent >/dev/null 2>&1; then
        getent passwd "$(id -u)" | cut -d: -f6
    fi
}

# Tries the interpreters below the folder $1 (one folder per version), 3.13 before 3.14, newest patch first.
try_versions() {
    [ -d "$1" ] || return 0
    for minor in 13 14; do
        folders=$(ls "$1" | grep -E "^(cpython-)?3\.$minor([^0-9]|\$)" | sort -t. -k3,3nr)
        saved=$IFS
        IFS='
'
        for folder in $folders; do
            IFS=$saved
            try "$1/$folder/bin/python3"
        done
        IFS=$saved
    done
}

if [ -n "${PYTHON:-}" ]; then
    try "$PYTHON"
    printf '%s\n' "PYTHON=$PYTHON is not Python 3.13 or 3.14 with venv, ssl and sqlite3; looking elsewhere." >&2
fi
for name in $NAMES; do
    try "$(command -v "$name" 2>/dev/null)"
done
user_home=$(home)
try_versions "${PYENV_ROOT:-$user_home/.pyenv}/versions"
for uv in "$(command -v uv 2>/dev/null)" "$user_home/.local/bin/uv" "$user_home/.cargo/bin/uv"; do
    # --system: not the .venv of this very folder.
    [ -x "$uv" ] && try "$("$uv" python find --system '>=3.13,<3.15' 2>/dev/null)"
done
try_versions "${UV_PYTHON_INSTALL_DIR:-$user_home/.local/share/uv/python}"
for place in $PLACES; do
    for name in $NAMES; do
        try "$place/$name"
    done
done

if [ -n "$incomplete" ]; then
    printf '%s\n' "Holdfast needs Python 3.13 or 3.14 with venv, ssl and sqlite3, and $incomplete lacks one of them: install the rest of it (Debian: apt install python3-venv) or name another with make PYTHON=/path/to/python3.13." >&2
else
    printf '%s\n' "Holdfast needs Python 3.13 or 3.14 and found neither: install one (uv python install 3.13, pyenv install 3.13, brew install python@3.13, or your system's package) or name it with make PYTHON=/path/to/python3.13." >&2
fi
exit 1
