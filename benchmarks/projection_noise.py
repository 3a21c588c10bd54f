"""Projection-domain noise of CT slices: how long it takes, and what of it photons make.

Times are of one slice of 362² with 1000 angles and 513 detectors, in seconds of the processor, so
that other programs on the machine disturb less. A job of `--slices` is then killed by SIGKILL in
the middle and begun again, which must draw only what had not been recorded, and must end with the
same bytes as one that was left alone.

Last, the artifact's size in grey levels, for a slice with smooth edges and for one with a scanner's
grain on it: of all of it, of reconstruction alone (1e15 photons), and of photons alone, which is
what they add before anything is rounded.

    python benchmarks/projection_noise.py [--slices 120] [--threads 2]
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from common import machine, verdict
from scipy import ndimage

from sourcebench import seeds
from sourcebench.artifacts import ARTIFACTS, write_layer
from sourcebench.artifacts.projection_noise import GREY_TO_HU, HU_TO_MU, noisy_lines
from sourcebench.tomography import ParallelBeam

SIDE, SLICES = 362, 2210
Image = np.ndarray


def chest(grain: float, seed: int = 0) -> Image:
    """Return a slice's grey levels, not rounded; `grain` is the scanner's noise in HU (s.d.)."""
    x = (np.arange(SIDE) - (SIDE - 1) / 2) / SIDE
    y = x[:, None]

    def inside(x0: float, y0: float, width: float, height: float) -> Image:
        return (np.hypot((x - x0) / width, (y - y0) / height) <= 1).astype(float)

    lungs = inside(-0.2, 0, 0.15, 0.22) + inside(0.2, 0, 0.15, 0.22)
    hu = -990 + 1030 * inside(0, 0, 0.45, 0.33) + 250 * inside(0, 0.2, 0.05, 0.05) - 880 * lungs
    hu = ndimage.gaussian_filter(hu, 1.0)
    noise = ndimage.gaussian_filter(seeds.generator("grain", seed).normal(size=hu.shape), 0.7)
    return (hu + grain * noise / noise.std() + 1200) / GREY_TO_HU


def processor_seconds(work: Callable[[], object], repeats: int = 5) -> float:
    """Return the median of what a piece of work takes."""
    taken = []
    for _ in range(repeats):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return statistics.median(taken)


def write(native: Image, path: Path, threads: int) -> float:
    """Write a layer; return the seconds on the clock."""
    confounder = ARTIFACTS.build("projection_noise", accelerator="cpu")
    begun = time.perf_counter()
    write_layer(
        confounder,
        "artifact",
        native,
        [f"slice_{row}" for row in range(len(native))],
        input_size=SIDE,
        resize_method="nearest",
        seed=0,
        path=path,
        threads=threads,
    )
    return time.perf_counter() - begun


def time_parts(image: Image) -> float:
    beam = ParallelBeam(SIDE)
    making = processor_seconds(lambda: beam.backproject(beam.project(image)), repeats=1)
    print(f"  {'making the matrix, once':<26} {making:.3f} s")
    lines = beam.project(image)
    confounder = ARTIFACTS.build("projection_noise", accelerator="cpu")
    rng = np.random.default_rng(0)
    for name, work in {
        "projection": lambda: beam.project(image),
        "photons": lambda: noisy_lines(lines, 2e7, rng),
        "filtered back-projection": lambda: beam.reconstruct(lines),
    }.items():
        print(f"  {name:<26} {processor_seconds(work):.3f} s")
    whole = processor_seconds(lambda: confounder.artifact(image, rng))
    print(f"  {'whole':<26} {whole:.3f} s")
    return whole


def time_restart(native: Image, folder: Path, threads: int, alone: Path) -> None:
    """Kill a job in the middle, once its record says that a third is done; begin it again."""
    path = folder / "killed" / "artifact.npy"
    code = (
        "import sys, os, signal; from pathlib import Path; import numpy as np\n"
        f"sys.path[:0] = [{str(Path(__file__).parent)!r}]\n"
        "import projection_noise\n"
        "from sourcebench.artifacts.draft import Draft\n"
        "advance = Draft.advance\n"
        "def stop(self, done):\n"
        f"    if advance(self, done) and done >= {len(native) // 3}:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "Draft.advance = stop\n"
        f"native = np.load({str(folder / 'native.npy')!r})\n"
        f"projection_noise.write(native, Path({str(path)!r}), {threads})\n"
    )
    killed = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert not path.exists()
    begun = time.perf_counter()
    write(native, path, threads)
    rest = time.perf_counter() - begun
    same = path.read_bytes() == alone.read_bytes()
    print(f"  killed and begun again: {rest:.1f} s for the rest; same bytes: {same}")


def say_sizes() -> None:
    """Print standard deviations in grey levels, within the body."""
    beam, floats = ParallelBeam(SIDE), 1 / (GREY_TO_HU * HU_TO_MU)
    body = ndimage.binary_erosion(chest(0) > 100, iterations=6)
    print("Grey levels (s.d. in soft tissue, off the edges | in the whole slice):")
    for name, grain in {"smooth": 0.0, "with a grain of 20 HU": 20.0}.items():
        exact = chest(grain)
        image = np.clip(exact, 0, 255).astype(np.uint8)
        lines = beam.project(np.maximum((exact * GREY_TO_HU - 1200) * HU_TO_MU + 20, 0))
        clean = beam.reconstruct(lines)
        for n0 in (2e7, 4096.0):
            rng = np.random.default_rng(1)
            photons = (beam.reconstruct(noisy_lines(lines, n0, rng)) - clean) * floats
            added = [
                ARTIFACTS.build("projection_noise", n0=of).artifact(image, np.random.default_rng(2))
                - image.astype(float)
                for of in (n0, 1e15)
            ]
            parts = {"all": added[0], "reconstruction": added[1], "photons": photons}
            text = ", ".join(f"{of} {d[body].std():.2f} | {d.std():.2f}" for of, d in parts.items())
            print(f"  {name}, n0 {n0:.0f}: {text}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--slices", type=int, default=120, help="slices of a job")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()

    os.environ["OMP_NUM_THREADS"] = "1"  # as in the workflow's job, before PyTorch is there
    print(machine())
    native = np.stack([chest(20, row).clip(0, 255) for row in range(options.slices)])
    native = native.astype(np.uint8)
    print("A slice, on one core:")
    whole = time_parts(native[0])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "native.npy", native)
        print(f"A job of {options.slices} slices:")
        one = write(native, folder / "one.npy", 1)
        many = write(native, folder / "many.npy", options.threads)
        same = (folder / "one.npy").read_bytes() == (folder / "many.npy").read_bytes()
        print(f"  1 thread {one:.1f} s, {options.threads} threads {many:.1f} s; same bytes: {same}")
        time_restart(native, folder, options.threads, folder / "one.npy")
    verdict(f"{options.threads} threads against 1", one / many, at_least=0.9 * options.threads)
    minutes = many / options.slices * SLICES / 60
    verdict(f"minutes for {SLICES} slices, this job", minutes, at_most=25)
    verdict("minutes, from processor seconds, 2 cores", whole * SLICES / 2 / 60, at_most=25)
    say_sizes()


if __name__ == "__main__":
    main()
