"""Computed tomography in two steps: an image's line integrals, and the image back from them."""

import math
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from sourcebench.errors import SourceBenchError

Device = Literal["cpu", "gpu"]
Field = npt.NDArray[np.float32]

ACCELERATORS = ("auto", "cpu", "gpu")

WIDTH = 0.26
"""Metres: the side of LoDoPaB-CT's images (Leuschner et al. 2021)."""

ANGLES = 1000
"""Projections over half a turn, as in LoDoPaB-CT."""

ONE_AT_A_TIME = threading.Lock()
"""The card is one, however many threads draw images."""


@cache
def device_of(accelerator: str) -> Device:
    """Return where ASTRA computes: 'cpu' or 'gpu'.

    Args:
        accelerator: 'cpu', 'gpu', or 'auto', which is a graphics card if ASTRA finds one.

    Raises:
        SourceBenchError: 'gpu' is asked for, and ASTRA finds none.
    """
    import astra

    found = accelerator != "cpu" and bool(astra.use_cuda())
    if accelerator == "gpu" and not found:
        raise SourceBenchError(
            "accelerator is 'gpu', but ASTRA finds no graphics card with CUDA here; "
            "use 'auto', or 'cpu', which takes about a second per CT slice and core."
        )
    return "gpu" if found else "cpu"


@dataclass(frozen=True)
class ParallelBeam:
    """A scanner with parallel rays, in the plane of the image, over half a turn.

    The geometry is that of LoDoPaB-CT (Leuschner et al. 2021): detector pixels are as wide as the
    image's, and as many as cover its diagonal. There are 513 of them for an image of 362².

    ASTRA calculates. On the CPU rays are interpolated linearly between the two pixels that they
    pass on each row or column (its projector 'linear', Joseph's method). Back along rays, any such
    pair leaves a Moiré pattern in an X through the centre; this leaves about half as much as
    intersecting rays with pixels ('line'), in the same time. Integrating over the rays' width
    ('strip') leaves next to none, and takes more than twice as long.

    Args:
        side: the image's side in px.
        width: the image's side in m.
        angles: projections, equally spaced over [0, π).
        device: 'cpu' or 'gpu', see `device_of`.
    """

    side: int
    width: float = WIDTH
    angles: int = ANGLES
    device: Device = "cpu"

    @property
    def pitch(self) -> float:
        """Side of an image's pixel, and width of a detector's, in m."""
        return self.width / self.side

    @property
    def detectors(self) -> int:
        """Detector pixels: the image's diagonal in px, rounded up to the next odd number."""
        return math.ceil(self.side * math.sqrt(2)) // 2 * 2 + 1

    def project(self, mu: npt.NDArray[Any]) -> Field:
        """Return the line integrals of an image.

        Args:
            mu: attenuation in 1/m, side×side.

        Returns:
            angles×detectors, float32, dimensionless. The ray of angle θ and detector offset s from
            the centre goes through the points x cos θ + y sin θ = s, y pointing up.
        """
        return self._run("FP", mu) * np.float32(self.pitch)

    def backproject(self, sinogram: npt.NDArray[Any]) -> Field:
        """Return the adjoint of `project`: angles×detectors to side×side, float32, in m."""
        return self._run("BP", sinogram) * np.float32(self.pitch)

    def reconstruct(self, sinogram: npt.NDArray[Any]) -> Field:
        """Return the image of line integrals by filtered back-projection with the Ram-Lak filter.

        Args:
            sinogram: line integrals, angles×detectors.

        Returns:
            Attenuation in 1/m, side×side, float32.
        """
        return self._run("FBP", sinogram, FilterType="ram-lak") / np.float32(self.pitch)

    def _run(self, name: str, given: npt.NDArray[Any], **options: str) -> Field:
        """Run an algorithm of ASTRA, in pixels, and free all that it made for it.

        ASTRA lets go of Python's lock while it computes, so that threads run side by side.
        """
        import astra

        plane = astra.create_vol_geom(self.side, self.side)
        theta = np.arange(self.angles) * (np.pi / self.angles)
        rays = astra.create_proj_geom("parallel", 1.0, self.detectors, theta)
        cpu = self.device == "cpu"
        image, sinogram = (given, None) if name == "FP" else (None, given)
        with ExitStack() as made:
            if not cpu:
                made.enter_context(ONE_AT_A_TIME)

            def keep(room: Any, identifier: int) -> int:
                made.callback(room.delete, identifier)
                return identifier

            config = astra.astra_dict(name if cpu else f"{name}_CUDA")
            volume = keep(astra.data2d, astra.data2d.create("-vol", plane, _single(image)))
            lines = keep(astra.data2d, astra.data2d.create("-sino", rays, _single(sinogram)))
            config["VolumeDataId" if name == "FP" else "ReconstructionDataId"] = volume
            config["ProjectionDataId"] = lines
            kind = "linear" if cpu else "cuda"
            config["ProjectorId"] = keep(astra.projector, astra.create_projector(kind, rays, plane))
            config["option"] = options
            algorithm = keep(astra.algorithm, astra.algorithm.create(config))
            astra.algorithm.run(algorithm)
            result: Field = astra.data2d.get(lines if name == "FP" else volume)
        return result


def _single(array: npt.NDArray[Any] | None) -> Field | None:
    return None if array is None else np.ascontiguousarray(array, np.float32)
