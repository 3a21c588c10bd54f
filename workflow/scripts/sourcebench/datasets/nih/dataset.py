"""NIH ChestX-ray14 (Wang et al. 2017): 112,120 frontal radiographs, 30,805 patients."""

from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pandas as pd

from sourcebench.datasets.base import KINDS, Dataset
from sourcebench.datasets.nih import tables
from sourcebench.datasets.nih.archives import archives
from sourcebench.parameters import parameter
from sourcebench.retrieval.archives import fetch_archives


@KINDS.register("nih_cxr14")
@dataclass(frozen=True)
class NIHChestXray14(Dataset):
    """NIH ChestX-ray14: the images of NIH's twelve archives, the tables of `torchxrayvision`.

    Args:
        url: a mirror that has NIH's archives under their names; None for NIH itself.
        checksums: whether the archives are byte for byte those of NIH.
        keep_archives: whether each archive stays after it was read, 42 GB in all.
        keep_all_images: whether images stay that no task needs.
    """

    url: str | None = parameter(
        None,
        help="a mirror that has NIH's archives, `<url>/images_001.tar.gz` and so on",
        decides=False,
    )
    checksums: bool = parameter(
        True,
        help="whether sizes and MD5s are NIH's; false for a mirror that packed the images anew",
        decides=False,
    )
    keep_archives: bool = parameter(
        False, help="whether each archive stays after it was read, 42 GB in all", decides=False
    )
    keep_all_images: bool = parameter(
        False,
        help="whether every image that arrives stays, not only those that a task needs",
        decides=False,
    )

    def metadata(self) -> pd.DataFrame:
        """Return the published table, see `tables.metadata`."""
        return tables.metadata()

    def download(self, wanted: pd.DataFrame, folder: Path, terminal: TextIO) -> Path:
        """Fetch archive by archive what is wanted, see `fetch_archives`."""
        with redirect_stderr(terminal):  # where tqdm draws
            report = fetch_archives(
                archives(self.url, checksums=self.checksums),
                list(wanted["image_id"]),
                folder,
                keep_archives=self.keep_archives,
                keep_all_images=self.keep_all_images,
                progress=terminal.isatty(),
            )
        print(report)
        return folder / "images"
