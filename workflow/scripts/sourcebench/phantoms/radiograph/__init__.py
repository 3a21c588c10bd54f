"""Frontal chest radiographs."""

from sourcebench.phantoms.radiograph.projection import Box, render

__all__ = ["Box", "render"]
