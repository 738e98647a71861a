#!/usr/bin/env bash
# Makes a folder and an archive that run on any Linux with a C library as new as this one's:
#   tools/package.sh BUILD DIST    ->  DIST/fedtune-VERSION-ARCH/{bin,lib/fedtune,licences}, DIST/fedtune-VERSION-ARCH.tar.gz
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1 dist=$2

version=$("$build/fedtune" --version | sed -n '1s/^fedtune //p')
name=fedtune-$version-$(uname -m)
folder=$dist/$name
rm -rf "$folder" "$folder.tar.gz"
mkdir -p "$folder/licences"
tools/install.sh "$build" "$folder" program

# Where the libraries that came along lie here.
libraries() {
  ldd "$build/fedtune" | awk '$2 == "=>" {print $3}' | while read -r library; do
    [ ! -e "$folder/lib/fedtune/$(basename "$library")" ] || echo "$library"
  done
}

# The licence of the package that a library is from.
copy_licence() {
  local package
  package=$(dpkg -S "$(realpath "$1")" 2>/dev/null | head -n 1 | sed 's/:.*//') || return 0
  [ -z "$package" ] || cp -L "/usr/share/doc/$package/copyright" "$folder/licences/$package" 2>/dev/null || true
}

libraries | sort -u | while read -r library; do copy_licence "$library"; done
cp LICENSE THIRD_PARTY_NOTICES.md "$folder/licences/"
torch=$(dirname "$(dirname "$(libraries | grep '/libtorch_cpu\.so$')")")
cp -r "$torch"-*.dist-info/licenses "$folder/licences/torch"

if arrow=$(libraries | grep '/libarrow\.so'); then
  cp -r "$(dirname "$(dirname "$arrow")")"/pyarrow-*.dist-info/licenses "$folder/licences/pyarrow"
fi

tar -C "$dist" -czf "$folder.tar.gz" "$name"
du -sh "$folder" "$folder.tar.gz" | sed 's/^/package: /'
