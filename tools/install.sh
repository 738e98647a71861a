#!/usr/bin/env bash
# Installs the program with the libraries it loads, so that it runs where neither the build nor .venv is:
#   tools/install.sh BUILD PREFIX            PREFIX/{bin,lib/fedtune,include,lib,lib/cmake}: the library for C++ too
#   tools/install.sh BUILD PREFIX program    PREFIX/{bin,lib/fedtune}: the program alone
set -euo pipefail
build=$1 prefix=$2 component=${3:-}

cmake --install "$build" --prefix "$prefix" --strip ${component:+--component "$component"} >/dev/null

# What the program loads, but for the C library, which must fit the kernel and the loader of the machine it runs on.
mkdir -p "$prefix/lib/fedtune"
ldd "$build/fedtune" | awk '$2 == "=>" {print $3}' |
  grep -vE '/(libc|libm|libdl|librt|libpthread|libresolv|ld-linux[^/]*)\.so[.0-9]*$' | sort -u |
  while read -r library; do cp -L "$library" "$prefix/lib/fedtune/"; done
[ -n "$(ls -A "$prefix/lib/fedtune")" ] || { echo "install: ldd $build/fedtune names no libraries" >&2; exit 1; }

env -i "$prefix/bin/fedtune" --version >/dev/null || { echo "install: $prefix/bin/fedtune does not run" >&2; exit 1; }
