"""Random generators with names: the same name gives the same numbers, on any machine."""

import hashlib

import numpy as np


def seed_of(*name: object) -> int:
    """Return a 63-bit seed for a name, such as `(config seed, "design", task, image_id)`."""
    digest = hashlib.blake2b("\x1f".join(map(str, name)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def generator(*name: object) -> np.random.Generator:
    """Return NumPy's generator seeded by a name."""
    return np.random.default_rng(seed_of(*name))
