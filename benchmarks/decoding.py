"""Reading images and making them small, against the decoder library alone.

Coloured JPEGs of `--side`² px, read and resized to 256² as a task's images are, on two threads,
against `cv2.imdecode` and `cv2.resize` of the same files; and the grey path: `read_image` against
the reader for grey PNGs. Few files are written, and read again and again: all are in the system's
file cache, so that it is the work that is measured and not the disk.

    python benchmarks/decoding.py [--images 400] [--side 1024] [--threads 2]
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from common import machine, verdict

from sourcebench.imaging import resize
from sourcebench.retrieval.formats import read_image
from sourcebench.retrieval.formats.png import read_png

FILES, SMALL, ROUNDS = 20, 256, 5
READ = {
    "a coloured JPEG": ("jpg", cv2.IMREAD_COLOR_RGB, read_image),
    "a grey JPEG": ("grey.jpg", cv2.IMREAD_GRAYSCALE, read_image),
    "a grey PNG": ("png", cv2.IMREAD_GRAYSCALE, read_image),
}


def write(folder: Path, side: int) -> None:
    """Write `FILES` pictures of smooth noise, coloured and grey: no flat areas, few edges."""
    rng = np.random.default_rng(0)
    for i in range(FILES):
        coarse = rng.normal(128, 60, (side // 16, side // 16, 3))
        picture = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
        picture = np.clip(picture + rng.normal(0, 6, picture.shape), 0, 255).astype(np.uint8)
        cv2.imwrite(f"{folder}/{i}.jpg", picture)
        cv2.imwrite(f"{folder}/{i}.grey.jpg", picture[..., 0])
        cv2.imwrite(f"{folder}/{i}.png", picture[..., 0])


def seconds(work: Callable[[Path], Any], paths: list[Path], threads: int) -> tuple[float, float]:
    """Return how long it takes to do something with all files: on the clock, of the processors."""
    clock, processors = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(work, paths):
            pass
    return time.perf_counter() - clock, time.process_time() - processors


def compare(
    one: Callable[[Path], Any], other: Callable[[Path], Any], paths: list[Path], threads: int
) -> tuple[Any, Any]:
    """Return ms per image of both, and ratios (median of rounds), by clock and by processors."""
    rounds = [[seconds(work, paths, threads) for work in (one, other)] for _ in range(ROUNDS)]
    times = np.array(rounds)  # rounds × works × (clock, processors)
    return 1e3 * times.mean(axis=0) / len(paths), np.median(times[:, 0] / times[:, 1], axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=400, help="images to read, of each kind")
    parser.add_argument("--side", type=int, default=1024, help="of the originals, px")
    parser.add_argument("--threads", type=int, default=2, help="decoding threads")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    print(machine())
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write(folder, options.side)
        for name, (suffix, flag, read) in READ.items():

            def ours(path: Path, read: Any = read) -> Any:
                return resize(read(path)[0], SMALL, "antialiased")

            def floor(path: Path, flag: int = flag) -> Any:
                image = cv2.imdecode(np.fromfile(path, np.uint8), flag)
                return cv2.resize(image, (SMALL, SMALL), interpolation=cv2.INTER_AREA)

            paths = [folder / f"{i % FILES}.{suffix}" for i in range(options.images // ROUNDS)]
            (mine, least), ratios = compare(ours, floor, paths, options.threads)
            print(
                f"{name}: {mine[0]:.2f} ms on the clock, {mine[1]:.2f} of the processors; ", end=""
            )
            print(f"the library alone {least[0]:.2f}, {least[1]:.2f}")
            for how, ratio in zip(("clock", "processors"), ratios, strict=True):
                verdict(f"{suffix}, as many times as long ({how})", ratio, at_most=1.3)
        paths = [folder / f"{i % FILES}.png" for i in range(options.images // ROUNDS)]
        _, ratios = compare(read_image, read_png, paths, options.threads)
        verdict("read_image against read_png (processors)", ratios[1], at_most=1.05)


if __name__ == "__main__":
    main()
