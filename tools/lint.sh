#!/usr/bin/env bash
# Formatting of every C++ file, clang-tidy on the changed ones (LINT_ALL=1: on all), the layer and text checks.
# "Changed" means since the branch left origin/main; on main itself, since the last commit before this one.
set -uo pipefail
cd "$(dirname "$0")/.."

bin=.venv/bin
status=0
report() { if [ "$1" = 0 ]; then echo "$2: clean"; else status=1; fi; }

changed_since() {
  local base
  base=$(git merge-base HEAD origin/main 2>/dev/null)
  if [ -z "$base" ] || [ "$base" = "$(git rev-parse HEAD)" ]; then base=$(git rev-parse --verify --quiet HEAD~1); fi
  git diff --name-only --diff-filter=d "${base:-HEAD}"
}

# The translation units to tidy: changed sources, and the source beside a changed header.
# nn/parallel.cpp includes OpenMP's header, which clang-tidy's wheel has not; the sets of kernels are written in GCC's vectors.
units() {
  if [ -n "${LINT_ALL:-}" ]; then git ls-files 'src/*.cpp' 'apps/*.cpp'; else changed_since; fi |
    sed -nE '/^(src|apps)\//s/\.(cpp|h)$/.cpp/p' | sort -u | sed -E '/nn\/(parallel|kernels\/(amx|avx|portable)[a-z0-9_]*)\.cpp$/d' | while read -r unit; do if [ -f "$unit" ]; then echo "$unit"; fi; done
}

git ls-files -z '*.cpp' '*.h' | xargs -0 "$bin/clang-format" --dry-run -Werror
report $? clang-format

# Of the preset dev: the others compile many sources as one, and clang-tidy looks for each by its name.
cmake --build build-dev --target generated >/dev/null
report $? "generated headers"
tidy() {
  xargs --no-run-if-empty -n 1 -P "$(nproc)" \
    "$bin/clang-tidy" -p build-dev --quiet --extra-arg=-Wno-unknown-warning-option "$@"
}
units | sed '/_test\.cpp$/d' | tidy
report $? clang-tidy
# In a test, reading an optional that is empty is the failure it looks for.
units | sed '/_test\.cpp$/!d' | tidy --checks=-bugprone-unchecked-optional-access
report $? "clang-tidy, tests"

python3 tools/check_layers.py || status=1
python3 tools/check_text.py || status=1
exit $status
