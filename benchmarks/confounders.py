"""All X-ray confounder arrays of cxr_mass, for all p_art: ours against the reference's way.

Both start from the same folder of synthetic 1024² PNGs and end with everything that training and
testing need at p_art = 0, 0.1, 0.2, 0.5, 0.8 and 1, for tag, denoising, Poisson noise, and high
versus low noise:

- ours decodes each PNG once, and writes one array per confounder in which every image carries the
  artifact;
- the reference's way, for each confounder and p_art, copies the folder and rewrites the PNGs of the
  confounded positives (and once those of all negatives, for the o.o.d. test), one after the other,
  with plain float64 NumPy. As in the reference, the tag goes through Pillow and the others through
  OpenCV, denoised images are written with three channels, and for high versus low noise every PNG
  is rewritten, the confounded ones once more.

Both ways are measured in the same run, each on all `--images`, by the clock and by the processors'
time (which other programs on the machine disturb less).

    python benchmarks/confounders.py [--images 331] [--threads 2]
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as PIL
from PIL import ImageDraw, ImageFont

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

from concurrent.futures import ThreadPoolExecutor

import matplotlib

from sourcebench import files
from sourcebench.artifacts import ARTIFACTS, write_layer

KINDS = ("tag", "denoise", "poisson_noise", "noise_levels")
P_ART = (0, 0.1, 0.2, 0.5, 0.8, 1)
POSITIVE = 0.3
SIDE, INPUT = 1024, 512

Image = np.ndarray


def make_originals(folder: Path, count: int) -> None:
    """Write PNGs as large and as hard to compress as radiographs: smooth shapes with grain."""
    folder.mkdir()
    for number in range(count):
        rng = np.random.default_rng(number)
        coarse = rng.uniform(20, 230, (12, 12)).astype(np.float32)
        smooth = cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        grainy = smooth + rng.normal(0, 1.2, (SIDE, SIDE))
        cv2.imwrite(str(folder / f"{number:08d}_000.png"), np.clip(grainy, 0, 255).astype(np.uint8))


def ours(originals: Path, results: Path, threads: int) -> None:
    paths = sorted(originals.iterdir())
    with (
        files.new_array(results / "native.npy", (len(paths), SIDE, SIDE)) as native,
        ThreadPoolExecutor(threads) as pool,
    ):

        def decode(row: int) -> None:
            native[row] = cv2.imread(str(paths[row]), cv2.IMREAD_GRAYSCALE)

        for _ in pool.map(decode, range(len(paths))):
            pass
    native = files.load_array(results / "native.npy")
    for kind in KINDS:
        confounder = ARTIFACTS.build(kind)
        for layer in ("artifact", "base") if confounder.needs_base(INPUT) else ("artifact",):
            write_layer(
                confounder,
                layer,
                native,
                [path.name for path in paths],
                input_size=INPUT,
                resize_method="nearest",
                seed=0,
                path=results / kind / f"{layer}.npy",
                threads=threads,
            )


def plain_tag(image: Image) -> Image:
    canvas = PIL.fromarray(image)
    font = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
    ImageDraw.Draw(canvas).text((200, 200), "R", fill=255, font=ImageFont.truetype(font, 64))
    return np.asarray(canvas)


def plain_denoise(image: Image) -> Image:
    y, x = np.ogrid[:SIDE, :SIDE]
    mask = np.hypot(y - SIDE // 2, x - SIDE // 2) <= 250
    spectrum = np.fft.fftshift(np.fft.fft2(image.astype(np.float64)))
    filtered = np.real(np.fft.ifft2(np.fft.ifftshift(spectrum * mask)))
    return np.clip(filtered, 0, 255).astype(np.uint8)


def plain_noise(image: Image, n0: float = 2e7) -> Image:
    small = np.asarray(PIL.fromarray(image).resize((INPUT, INPUT), PIL.Resampling.NEAREST))
    hounsfield = (small + np.random.default_rng(666).random(small.shape)) / 255 * 2000 - 1200
    mu = hounsfield * (0.1837 - 0.1662) / 1000 + 0.1837
    counts = np.random.default_rng(888).poisson(n0 * np.exp(-mu))
    mu = -np.log(counts / n0)
    hounsfield = np.clip((mu - 0.1837) * 1000 / (0.1837 - 0.1662), -1200, 800)
    return ((hounsfield + 1200) / 2000 * 255).astype(np.uint8)


def rewrite(kind: str, path: Path, n0: float = 2e7) -> None:
    """Read a PNG, draw the artifact, write the PNG again."""
    if kind == "tag":
        PIL.fromarray(plain_tag(np.asarray(PIL.open(path)))).save(path)
        return
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if kind == "denoise":
        image = np.repeat(plain_denoise(image)[:, :, None], 3, axis=2)
    else:
        image = plain_noise(image, n0)
    cv2.imwrite(str(path), image)


def reference(originals: Path, results: Path) -> None:
    """Build the folders one by one; each is deleted before the next, to spare the disk."""
    names = sorted(path.name for path in originals.iterdir())
    positives, negatives = np.split(names, [round(POSITIVE * len(names))])
    confounded = {f"p_art_{p_art}": positives[: round(p_art * len(positives))] for p_art in P_ART}
    for kind in KINDS:
        for data, carriers in (confounded | {"ood": negatives}).items():
            folder = results / kind / data
            shutil.copytree(originals, folder)
            if kind == "noise_levels":
                for name in names:
                    rewrite(kind, folder / name, 2e7)
            for name in carriers:
                rewrite(kind, folder / name, 1.5e7 if kind == "noise_levels" else 2e7)
            shutil.rmtree(folder)


def measure(name: str, work: Callable[[], None]) -> tuple[float, float]:
    """Return and print the seconds on the clock, and of all processors together."""
    clock, processors = time.perf_counter(), time.process_time()
    work()
    taken = time.perf_counter() - clock, time.process_time() - processors
    print(f"{name:<10} {taken[0]:7.1f} s, processors {taken[1]:7.1f} s", flush=True)
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=331, help="images (cxr_mass has 331)")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="of our way")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        originals = folder / "originals"
        make_originals(originals, options.images)
        size = sum(path.stat().st_size for path in originals.iterdir()) / options.images
        print(f"{options.images} images of {SIDE}², {size / 1e3:.0f} kB each; ", end="")
        print(f"ours on {options.threads} threads, the reference's way on one")
        fast = measure("ours", lambda: ours(originals, folder / "ours", options.threads))
        slow = measure("reference", lambda: reference(originals, folder / "reference"))
        print(f"{'ratio':<10} {slow[0] / fast[0]:7.1f}    processors {slow[1] / fast[1]:7.1f}")


if __name__ == "__main__":
    main()
