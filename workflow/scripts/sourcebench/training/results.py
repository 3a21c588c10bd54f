"""What a run writes besides tables and records."""

from pathlib import Path

import numpy as np
import pandas as pd
from torch import Tensor

from sourcebench.files import atomic

LARGEST = float(np.finfo(np.float16).max)


def write_parquet(path: Path, table: pd.DataFrame) -> None:
    """Write a table as Parquet, without its index."""
    with atomic(path) as temporary:
        table.to_parquet(temporary, index=False)


def write_features(path: Path, images: pd.DataFrame, features: Tensor) -> None:
    """Write the features of a run's test images, compressed.

    Args:
        path: the `.npz` to write: `image_id` and `layer` (text, M), and `features` (M×F, float16;
            what that can't hold is the largest that it can).
        images: `image_id`, `layer`, of M images.
        features: theirs, M×F, float.
    """
    values = features.clamp(-LARGEST, LARGEST).cpu().numpy().astype(np.float16)
    names = {name: images[name].to_numpy(str) for name in ("image_id", "layer")}
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, features=values, allow_pickle=False, **names)
