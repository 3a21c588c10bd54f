"""LIDC-IDRI from DICOM: headers per second, the cached second call, matching, slices per second.

Generated files, with as many header fields as LIDC's and 512² pixels: `--slices` of them are
written, and hard links make `--files` of them, each with a name of its own. All are in the
system's file cache, so that it is the work that is measured and not the disk.

    python benchmarks/lidc_read.py [--files 20000] [--slices 200] [--processes 2]
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import numpy as np
import pandas as pd
from common import machine

from lidc_files import encoded, slice_of
from sourcebench.datasets.lidc.headers import Headers, index, match
from sourcebench.retrieval.formats.ct import read_slice

PER_SCAN = 240
SCANS = 1018


def write(folder: Path, files: int, slices: int) -> None:
    """Write `slices` files of 512² and link to them until there are `files`, in folders of 240."""
    rng = np.random.default_rng(0)
    further = {f"{name}Date": "20000101" for name in ("Study", "Series", "Acquisition", "Content")}
    further |= {"Manufacturer": "GE MEDICAL SYSTEMS", "ManufacturerModelName": "LightSpeed Plus"}
    further |= {
        "KVP": 120,
        "SliceThickness": 2.5,
        "ReconstructionDiameter": 360,
        "GantryDetectorTilt": 0,
    }
    originals = []
    for number in range(slices):
        pixels = rng.integers(-1000, 900, (512, 512)).astype(np.int16)
        dataset = slice_of(2.5 * number, pixels=pixels, instance=number, **further)
        for private in range(40):
            dataset.add_new((0x0013, 0x1010 + private), "LO", "LIDC-IDRI")
        originals.append(folder / f"original_{number:06d}")
        originals[-1].write_bytes(encoded(dataset))
    for number in range(slices, files):
        place = folder / f"scan_{number // PER_SCAN:05d}"
        place.mkdir(exist_ok=True)
        os.link(originals[number % slices], place / f"{number:06d}.dcm")


def timed(name: str, count: int, work: Callable[[], object]) -> None:
    """Print the seconds on the clock, those of all processors together, and what one takes."""
    clock, processors = time.perf_counter(), sum(os.times()[:4])
    work()
    clock, processors = time.perf_counter() - clock, sum(os.times()[:4]) - processors
    print(f"{name:<36} {clock:7.2f} s, processors {processors:7.2f} s; ", end="")
    print(f"{clock / count * 1e3:.4f} ms each, {count / clock:,.0f} per s", flush=True)


def whole_copy() -> tuple[pd.DataFrame, Headers]:
    """Stand for the headers and the slices of all of LIDC-IDRI."""
    count = SCANS * PER_SCAN
    series = [f"1.3.6.1.4.1.14519.5.2.1.6279.6001.{i // PER_SCAN}" for i in range(count)]
    z = np.tile(np.arange(PER_SCAN) * 1.25, SCANS)
    names = [str(i) for i in range(count)]
    table = pd.DataFrame({"path": names, "series_uid": series, "z": z, "sop_uid": names})
    table = table.assign(instance=1, rows=512, columns=512)
    slices = table[["series_uid", "z"]].assign(image_id=names)
    return slices, Headers(table, 0, 0, 0, 0, ())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=20000, help="headers to read")
    parser.add_argument("--slices", type=int, default=200, help="slices to read")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="for headers")
    options = parser.parse_args()
    print(machine())
    scratch = Path(tempfile.mkdtemp())
    try:
        folder = scratch / "data"
        folder.mkdir()
        write(folder, options.files, options.slices)
        timed("headers, one process", options.files, lambda: index(folder, None))
        cache = scratch / "headers.parquet"

        def several() -> Headers:
            return index(folder, cache, processes=options.processes)

        timed(f"headers, {options.processes} processes, cache written", options.files, several)
        timed("headers from the cache", options.files, several)
        slices, headers = whole_copy()
        timed("matching a whole copy", len(slices), lambda: match(slices, headers))
        paths = sorted(folder.glob("original_*"))
        timed("slices", len(paths), lambda: [read_slice(path) for path in paths])
    finally:
        shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
