"""Adapters as a folder in peft's format, without peft: what fedtune distill reads and writes."""

import json
import pathlib
import struct

import numpy


def save(folder: pathlib.Path, arrays: dict[str, numpy.ndarray], lora_alpha: float) -> None:
    """Arrays by the names they have in peft's files, float32."""
    folder.mkdir(parents=True, exist_ok=True)
    header, end = {}, 0
    for name, array in arrays.items():
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [end, end + array.nbytes]}
        end += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with (folder / "adapter_model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in arrays.values():
            file.write(numpy.ascontiguousarray(array, "<f4").tobytes())
    first = [name for name in arrays if ".lora_A." in name]
    config = {
        "peft_type": "LORA", "task_type": "SEQ_CLS", "bias": "none", "r": int(arrays[first[0]].shape[0]),
        "lora_alpha": lora_alpha, "target_modules": sorted({name.split(".lora_A.")[0].split(".")[-1] for name in first}),
    }
    (folder / "adapter_config.json").write_text(json.dumps(config))


def load(folder: pathlib.Path) -> dict[str, numpy.ndarray]:
    content = (folder / "adapter_model.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + length])
    header.pop("__metadata__", None)
    values = memoryview(content)[8 + length:]
    return {
        name: numpy.frombuffer(values[slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"])
        for name, entry in header.items()
    }
