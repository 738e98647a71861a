#!/usr/bin/env python3
"""Writes the inputs of corpus/ that are not text: the same bytes each time. Standard library only.

Every message is made here field by field, so that the corpus needs neither protobuf nor NumPy.
"""

import json
import pathlib
import struct

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"


def write(target: str, name: str, content: bytes) -> None:
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def parts(*pairs: tuple[str, bytes]) -> bytes:
    """An input of several parts, as support.h reads it."""
    return b"\n".join(b"--- " + name.encode() + b"\n" + content for name, content in pairs)


# --- protobuf


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def blob(field: int, value: bytes | str) -> bytes:
    value = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(value)) + value


def double(field: int, value: float) -> bytes:
    return varint(field << 3 | 1) + struct.pack("<d", value)


def zigzag(value: int) -> int:
    return value << 1 ^ value >> 63


# --- formats


def safetensors(tensors: dict[str, tuple[str, list[int], bytes]], metadata: dict[str, str] | None = None) -> bytes:
    header: dict[str, object] = {"__metadata__": metadata} if metadata else {}
    data = b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def npy(descr: str, shape: str, content: bytes, version: int = 1, order: str = "False") -> bytes:
    header = f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n".encode("latin-1")
    length = struct.pack("<H", len(header)) if version == 1 else struct.pack("<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + content


def floats(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


# --- the corpora


def formats() -> None:
    two = safetensors({"a": ("F32", [2, 2], floats(1, 2, 3, 4)), "b": ("I8", [3], b"\1\2\3"), "none": ("F16", [0], b"")},
                      {"format": "pt"})
    write("safetensors", "two-and-none", two)
    write("safetensors", "scalar", safetensors({"x": ("BF16", [], b"\x80\x3f")}))
    write("safetensors", "unaligned", safetensors({"a": ("U8", [1], b"\1"), "b": ("F64", [1], bytes(8))}))
    write("safetensors", "empty", safetensors({}))
    write("safetensors", "gap", two.replace(b'[0,16]', b'[0,12]'))
    write("npy", "matrix", npy("<f4", "(2, 2)", floats(1, 2, 3, 4)))
    write("npy", "scalar-2.0", npy("<f8", "()", bytes(8), version=2))
    write("npy", "bytes-3.0", npy("|u1", "(3,)", b"abc", version=3))
    write("npy", "fortran", npy("<i4", "(1,)", bytes(4), order="True"))
    write("npy", "big-endian", npy(">f4", "(1,)", bytes(4)))
    state = {"version": 2, "round": 1, "events_bytes": 10, "strategy_state_since": 0, "strategy_state_sha256": ""}
    record = {"round": 1, "cohort": [1, 2], "accepted": [
                  {"rank": 1, "weight": 2.0, "sentences": 3, "batches": 1, "tokens": 9, "loss": 0.5, "seconds": 0.1,
                   "norm": 1.0, "change": 0.5, "sent_weight": 2.0, "sha256": "ab"}],
              "refused": [{"rank": 2, "reason": "too late"}], "bytes_up": 8, "bytes_down": 16,
              "seconds": {"train": 1, "aggregate": 0.1, "distil": 0, "evaluate": 0.2, "wait": None},
              "evaluation": {"loss": 0.5, "reference_loss": 0.4, "accuracy": 0.9, "mcc": 0.1, "f1": 0.2,
                             "sentences": 7, "teacher": {"loss": 1, "reference_loss": 1, "accuracy": 1}},
              "global_sha256": "cd"}
    history = "\n".join(json.dumps(record | {"round": number}) for number in (0, 1)).encode()
    tensors = safetensors({"w": ("F32", [1], floats(1))})
    write("checkpoint", "whole", parts(("state", json.dumps(state).encode()), ("history", history), ("tensors", tensors)))
    write("checkpoint", "another-round", parts(("state", json.dumps(state | {"round": 2}).encode()), ("history", history)))
    write("checkpoint", "no-history", parts(("state", json.dumps(state).encode())))
    write("checkpoint", "no-seal", parts(("record", b'{"sha256":"00","state":{"version":1}}')))


# The layout of the targets of the wire: see wire_layout.h.
ARRAYS = {"w": floats(1, 2, 3), "b": floats(0.5)}


def our_wire() -> None:
    seat = number(1, 1) + blob(2, bytes(16))
    report = number(1, 30) + number(2, 2) + number(3, 300) + double(4, 0.5) + double(5, 1.5)
    header = blob(1, blob(1, seat) + blob(2, bytes(16)) + number(3, 1) + double(4, 2.0) + blob(5, report))
    payload = ARRAYS["w"] + bytes(4) + ARRAYS["b"]
    write("server_messages", "contribution", parts(
        ("enrol", number(1, 2) + number(2, 1) + blob(3, "1.0")), ("next", blob(1, seat) + blob(2, b"") + number(3, 0)),
        ("header", header), ("payload", blob(2, payload[:8])), ("payload", blob(2, payload[8:])), ("complete", b"")))
    write("server_messages", "in-one-part-and-declined", parts(
        ("header", header), ("payload", blob(2, payload)), ("complete", b""),
        ("decline", blob(1, seat) + blob(2, bytes(16)) + blob(3, "out of memory"))))
    write("server_messages", "too-long", parts(("header", header), ("payload", blob(2, payload + b"x")), ("complete", b"")))
    write("server_messages", "unknown-field", parts(
        ("header", header), ("payload", number(7, 1) + blob(2, payload)), ("complete", b"")))
    spec = blob(1, "w") + blob(2, "F32") + blob(3, varint(3))
    reply = blob(1, bytes(16)) + blob(2, "run") + blob(3, "{}") + blob(5, spec) + blob(6, "1.0")
    start = blob(1, number(1, 1) + blob(2, b"nonce") + number(3, 0))
    again = blob(1, number(1, 1) + blob(2, b"nonce") + number(3, 4))
    write("client_messages", "instruction", parts(("enrol", reply), ("part", start), ("part", blob(2, ARRAYS["w"]))))
    write("client_messages", "cut-and-resumed", parts(
        ("enrol", reply), ("part", start), ("part", blob(2, ARRAYS["w"][:4])), ("part", again),
        ("part", blob(2, ARRAYS["w"][4:])), ("part", blob(3, b""))))
    write("client_messages", "huge-layout", parts(
        ("enrol", blob(5, blob(1, "w") + blob(2, "F32") + blob(3, varint(1 << 40)))), ("part", start)))


def flower_wire() -> None:
    arrays = [npy("<f4", "(3,)", ARRAYS["w"]), npy("<f4", "(1,)", ARRAYS["b"])]
    parameters = b"".join(blob(1, array) for array in arrays) + blob(2, "numpy.ndarray")
    ok = blob(1, number(1, 0))
    write("join_server", "contribution", blob(4, ok + blob(2, parameters) + number(3, 30)))
    write("join_server", "refused", blob(4, blob(1, number(1, 3) + blob(2, "no such sentences"))))
    strange = blob(1, npy("<\xff4", "(3,)", ARRAYS["w"])) + blob(1, arrays[1])
    write("join_server", "found-type-is-no-text", blob(4, ok + blob(2, strange) + number(3, 1)))
    round_entry = blob(1, "server_round") + blob(2, number(8, zigzag(3)))
    write("join_client", "fit", blob(4, blob(1, parameters) + blob(2, round_entry)))
    write("join_client", "evaluate", blob(5, blob(1, parameters)))
    write("join_client", "reconnect", blob(1, number(1, 5)))

    def part(head: str, body: bytes) -> tuple[str, bytes]:
        return "object", head.encode() + b" " + str(len(body)).encode() + b"\0" + body

    described = b'{"dtype":"float32","shape":[3],"stype":"numpy.ndarray","arraychunk_ids":[0]}'
    config = blob(1, blob(1, "server-round") + blob(2, number(2, zigzag(2))))
    write("fleet_objects", "train", parts(
        part("ArrayChunk ", arrays[0]), part("Array @0", described), part("ArrayRecord @1", b'{"w":"@1"}'),
        part("ConfigRecord ", config), part("RecordDict @2,@3", b'{"arrays":"@2","config":"@3"}'),
        part("Message @4", b"metadata")))
    write("fleet_objects", "error", parts(part("Message ", b"metadata")))
    for name, other in (("found-index-is-text", b'"0"'), ("found-no-such-chunk", b"7"), ("found-stype-is-number", b"0")):
        form = b'{"stype":7,"arraychunk_ids":[0]}' if "stype" in name else b'{"stype":"numpy.ndarray","arraychunk_ids":[' + other + b"]}"
        write("fleet_objects", name, parts(
            part("ArrayChunk ", arrays[0]), part("Array @0", form), part("ArrayRecord @1", b'{"w":"@1"}'),
            part("RecordDict @2", b'{"arrays":"@2"}'), part("Message @3", b"metadata")))
    pieces = b'{"stype":"numpy.ndarray","arraychunk_ids":[' + b",".join([b"0"] * 300) + b"]}"
    write("fleet_objects", "found-one-chunk-too-often", parts(
        part("ArrayChunk ", arrays[0]), part("Array @0", pieces), part("ArrayRecord @1", b'{"w":"@1"}'),
        part("RecordDict @2", b'{"arrays":"@2"}'), part("Message @3", b"metadata")))
    message = blob(1, number(1, 7) + blob(8, "train"))
    write("fleet_answers", "pulled", parts(("pull", blob(2, message) + blob(3, blob(1, "00")))))
    write("fleet_answers", "found-no-tree", parts(("pull", blob(2, message))))
    write("fleet_answers", "refusal", parts(("detail", b'{"code": 2004, "detail": "unknown node"}')))


if __name__ == "__main__":
    formats()
    our_wire()
    flower_wire()
