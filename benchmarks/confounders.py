"""All X-ray confounder arrays of cxr_mass, for all p_art: ours against the reference's way.

Both start from the same folder of synthetic 1024² PNGs and end with everything that training and
i.i.d. testing need at p_art = 0, 0.1, 0.2, 0.5, 0.8 and 1, for tag, denoising, Poisson noise, and
high versus low noise:

- ours decodes each PNG once, and writes one array per confounder in which every image carries the
  artifact (which serves the o.o.d. test as well);
- the reference's way copies the folder for each confounder and p_art, and rewrites the PNGs of the
  confounded positives, with plain float64 NumPy, one after the other. For high versus low noise it
  rewrites every PNG, as all are noisy.

    python benchmarks/confounders.py [--images 331] [--threads 2] [--png pillow|opencv]
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
from sourcebench.confounders import PixelConfounder, build, write_layer

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
        confounder = build(kind)
        assert isinstance(confounder, PixelConfounder)
        for layer in ("artifact", "base") if confounder.has_base else ("artifact",):
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


PNG: dict[str, tuple[Callable[[Path], Image], Callable[[Path, Image], object]]] = {
    "pillow": (
        lambda path: np.asarray(PIL.open(path).convert("L")),
        lambda path, image: PIL.fromarray(image).save(path),
    ),
    "opencv": (
        lambda path: cv2.imread(str(path), cv2.IMREAD_GRAYSCALE),
        lambda path, image: cv2.imwrite(str(path), image),
    ),
}


def reference(originals: Path, results: Path, png: str) -> None:
    """Build the folders one by one; each is deleted before the next, to spare the disk."""
    read, write = PNG[png]
    plain: dict[str, Callable[[Image], Image]] = {
        "tag": plain_tag,
        "denoise": plain_denoise,
        "poisson_noise": plain_noise,
    }
    for kind in KINDS:
        for p_art in P_ART:
            folder = results / f"{kind}_{p_art}"
            shutil.copytree(originals, folder)
            paths = sorted(folder.iterdir())
            positives = round(POSITIVE * len(paths))
            confounded = set(paths[: round(p_art * positives)])
            if kind == "noise_levels":
                for path in paths:
                    write(path, plain_noise(read(path), 1.5e7 if path in confounded else 2e7))
            else:
                for path in confounded:
                    write(path, plain[kind](read(path)))
            shutil.rmtree(folder)


def seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=331, help="images (cxr_mass has 331)")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="of our way")
    parser.add_argument("--png", choices=PNG, default="pillow", help="the reference's PNG library")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        originals = folder / "originals"
        make_originals(originals, options.images)
        size = sum(path.stat().st_size for path in originals.iterdir()) / options.images
        print(f"{options.images} images of {SIDE}², {size / 1e3:.0f} kB each")
        fast = seconds(lambda: ours(originals, folder / "ours", options.threads))
        print(f"ours:      {fast:7.1f} s ({options.threads} threads)", flush=True)
        slow = seconds(lambda: reference(originals, folder / "reference", options.png))
        print(f"reference: {slow:7.1f} s (PNG by {options.png})")
        print(f"ratio:     {slow / fast:7.1f}")


if __name__ == "__main__":
    main()
