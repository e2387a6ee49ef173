#!/usr/bin/env bash
# Installs what the autograder needs, once, when Gradescope builds the image.
set -euo pipefail
root="${AUTOGRADER_ROOT:-/autograder}"
source="$root/source"

# the fence that submissions run behind; without bubblewrap seccomp and Landlock remain
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  apt-get install -y -q --no-install-recommends bubblewrap libseccomp2 python3-venv ||
    echo "grader: bubblewrap, libseccomp2 or python3-venv could not be installed"
fi

python=""
for name in python3.14 python3.13 python3.12 python3.11 python3; do
  if command -v "$name" >/dev/null && "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'; then
    python="$name"
    break
  fi
done
if [ -z "$python" ]; then
  echo "grader: Python 3.11 or newer is needed; choose a newer image (Ubuntu 24.04) in the autograder's settings" >&2
  exit 1
fi

"$python" -m venv "$root/venv"
if [ -d "$source/wheels" ]; then
  "$root/venv/bin/python" -m pip install --no-index --find-links "$source/wheels" -r "$source/requirements.txt"
else
  # the index has torch without CUDA, a tenth of the size; all else comes from where pip always looks
  "$root/venv/bin/python" -m pip install --extra-index-url https://download.pytorch.org/whl/cpu \
    -r "$source/requirements.txt"
fi

# submissions run as another user, who needs the engine; the true answers are for us alone
chmod -R go+rX "$source/engine"
chmod -R go-rwx "$source/bundles"
# the best fence is found by trying; said now, so that the log of the image has it
PYTHONPATH="$source/engine" "$root/venv/bin/python" -P -c \
  'from grader.tier import best; print(f"grader: submissions will run behind a fence of tier {best().tier}")'
