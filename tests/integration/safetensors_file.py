"""Safetensors read and written with the standard library, so that tests can damage them knowingly."""

import json
import pathlib
import struct


def read(path: pathlib.Path) -> tuple[dict, dict[str, bytes]]:
    """The header's entries without offsets, and the bytes of each tensor."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    body = content[8 + length :]
    tensors = {}
    for name, entry in header.items():
        begin, end = entry.pop("data_offsets")
        tensors[name] = body[begin:end]
    return header, tensors


def write(path: pathlib.Path, header: dict, tensors: dict[str, bytes]) -> None:
    entries, offset = {}, 0
    for name, entry in header.items():
        entries[name] = {**entry, "data_offsets": [offset, offset + len(tensors[name])]}
        offset += len(tensors[name])
    text = json.dumps(entries).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(tensors[name] for name in header))
