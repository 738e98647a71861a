"""A federation on Flower's engine: a SuperLink between, native nodes at its ends."""
