"""NIH ChestX-ray14 (Wang et al. 2017): 112,120 frontal radiographs, 30,805 patients."""

from contextlib import redirect_stderr
from pathlib import Path
from typing import Any, ClassVar, TextIO

import pandas as pd

from sourcebench.datasets.base import KINDS, Dataset
from sourcebench.datasets.nih import tables
from sourcebench.datasets.nih.archives import archives
from sourcebench.retrieval.archives import fetch_archives


@KINDS.register("nih_cxr14")
class NIHChestXray14(Dataset):
    """The images from NIH's twelve archives, the tables from `torchxrayvision`."""

    properties: ClassVar[dict[str, Any]] = {
        "url": {"type": ["string", "null"], "description": "a mirror with images_001.tar.gz …"},
        "checksums": {
            "type": "boolean",
            "description": "whether the archives are byte for byte those of NIH",
        },
        "keep_archives": {"type": "boolean"},
        "keep_all_images": {"type": "boolean"},
    }

    def metadata(self) -> pd.DataFrame:
        """Return the published table, see `tables.metadata`."""
        return tables.metadata()

    def download(self, wanted: pd.DataFrame, folder: Path, terminal: TextIO) -> Path:
        """Fetch archive by archive what is wanted, see `fetch_archives`."""
        spec = self.spec
        with redirect_stderr(terminal):  # where tqdm draws
            report = fetch_archives(
                archives(spec.get("url"), checksums=spec.get("checksums", True)),
                list(wanted["image_id"]),
                folder,
                keep_archives=spec.get("keep_archives", False),
                keep_all_images=spec.get("keep_all_images", False),
                progress=terminal.isatty(),
            )
        print(report)
        return folder / "images"
