"""Tomography: from an image to its line integrals, and back."""

from sourcebench.tomography.parallel_beam import ANGLES, WIDTH, Field, ParallelBeam

__all__ = ["ANGLES", "WIDTH", "Field", "ParallelBeam"]
