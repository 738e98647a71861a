#!/usr/bin/env python3
"""Checks that a layer includes only what it links, that torch stays below the torch line and gRPC in net.

The layers and what each links are read from src/fedtune/CMakeLists.txt. The build enforces the first rule for what is
compiled; this check needs no build and also sees headers that nothing includes. Standard library only.
"""

import pathlib
import re
import sys

LAYER = re.compile(r"^fedtune_layer\(\s*(\w+)\s+(?:(TORCH)\s+|NET\s+)?(?:NO_THREADS\s+)?DEPS\s+([^)]*)\)", re.MULTILINE)
OWN_INCLUDE = re.compile(r'^\s*#\s*include\s*["<]fedtune/(\w+)/(?![^">]*\.pb\.h)', re.MULTILINE)
DETOUR = re.compile(r'^\s*#\s*include\s*["<]([^">]*\.\./[^">]*)', re.MULTILINE)
WIRE_INCLUDE = re.compile(
    r'^\s*#\s*include\s*["<]((?:grpc|grpcpp|google/protobuf)/[^">]*|[^">]*\.pb\.h)[">]', re.MULTILINE)
TORCH_INCLUDE = re.compile(r'^\s*#\s*include\s*["<]((?:torch|ATen|c10|caffe2)/[^">]*)', re.MULTILINE)


def read_layers(table: str) -> dict[str, tuple[bool, set[str]]]:
    """layer -> (torch allowed, layers it links itself)"""
    rows = LAYER.findall(table)
    names = {name for name, _, _ in rows}
    return {name: (bool(torch), set(re.findall(r"\bfedtune_(\w+)", links)) & names) for name, torch, links in rows}


def reachable(layer: str, layers: dict[str, tuple[bool, set[str]]]) -> set[str]:
    """The layer itself and all it links, directly or through others."""
    found, open_ends = {layer}, [layer]
    while open_ends:
        for link in layers[open_ends.pop()][1] - found:
            found.add(link)
            open_ends.append(link)
    return found


def line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def check_file(path: pathlib.Path, layer: str, layers: dict[str, tuple[bool, set[str]]]) -> list[str]:
    text = path.read_text()
    allowed = reachable(layer, layers)
    problems = [
        f"{path}:{line_of(text, match.start(1))}: layer {layer} includes layer {match[1]}, which it does not link"
        for match in OWN_INCLUDE.finditer(text)
        if match[1] not in allowed
    ]
    problems += [
        f"{path}:{line_of(text, match.start(1))}: includes {match[1]}; write the full path, fedtune/<layer>/..."
        for match in DETOUR.finditer(text)
    ]
    if layer != "net":
        problems += [
            f"{path}:{line_of(text, match.start(1))}: layer {layer} includes {match[1]}; gRPC and protobuf stay in net"
            for match in WIRE_INCLUDE.finditer(text)
        ]
    if not layers[layer][0]:
        problems += [
            f"{path}:{line_of(text, match.start(1))}: layer {layer} stands above the torch line and includes {match[1]}"
            for match in TORCH_INCLUDE.finditer(text)
        ]
    return problems


def check(source: pathlib.Path) -> list[str]:
    """One line for each breach under `source` (the folder src/fedtune)."""
    layers = read_layers((source / "CMakeLists.txt").read_text())
    problems = []
    for path in sorted(path for path in source.rglob("*") if path.suffix in {".h", ".cpp", ".inc"}):
        layer = path.relative_to(source).parts[0]
        if layer in layers:
            problems += check_file(path, layer, layers)
        else:
            problems.append(f"{path}: folder {layer} is no layer of {source / 'CMakeLists.txt'}")
    return problems


def main() -> int:
    source = pathlib.Path(__file__).resolve().parent.parent / "src" / "fedtune"
    problems = check(source)
    print("\n".join(problems) if problems else "layers: in order")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
