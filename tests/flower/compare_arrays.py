"""Compares the arrays of an .npz, in order, with an adapter's tensors in peft's order; exit code 1 where they differ.

Flower adds in the order of replies: the last bits of a mean, which a round of AdamW makes some 1e-5. An array in another's
place differs by 1e-2.
"""

import sys

import numpy
from safetensors.numpy import load_file


def order(name: str) -> tuple:
    """Layer, then query before value, then A before B; the head last, weight before bias."""
    parts = name.split(".")
    if "layer" not in parts:
        return (1, name.endswith("bias"))
    return (0, int(parts[parts.index("layer") + 1]), "value" in parts, "lora_B" in parts)


def main() -> int:
    arrays = list(numpy.load(sys.argv[1]).values())
    tensors = load_file(sys.argv[2])
    names = sorted(tensors, key=order)
    worst = max(numpy.abs(array - tensors[name]).max() for array, name in zip(arrays, names, strict=True))
    print(f"{len(arrays)} arrays, largest difference {worst:.2e}")
    return 0 if worst < 1e-4 else 1


if __name__ == "__main__":
    sys.exit(main())
