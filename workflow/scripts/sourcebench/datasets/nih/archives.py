"""Where NIH has its archives, and what is published of them."""

from pathlib import Path

import pandas as pd

from sourcebench.retrieval.archives import Archive

TABLE = Path(__file__).with_suffix(".csv")


def archives(base_url: str | None = None, *, checksums: bool = True) -> list[Archive]:
    """Return the twelve archives of NIH ChestX-ray14, 45 GB, in order (Wang et al. 2017).

    The addresses are those of NIH's `batch_download_zips.py`, the MD5 checksums those of NIH's
    `FAQ_CHESTXRAY.pdf` (question 7), the sizes those that the server states.

    Args:
        base_url: a mirror that has them as `<base_url>/images_001.tar.gz` and so on.
        checksums: expect NIH's sizes and checksums. False for a mirror that packs the images anew.
    """
    found = []
    for row in pd.read_csv(TABLE, dtype=str).itertuples():
        url = row.url if base_url is None else f"{base_url.rstrip('/')}/{row.name}"
        size, md5 = (int(str(row.size)), str(row.md5)) if checksums else (None, None)
        found.append(Archive(str(row.name), str(url), size, md5))
    return found
