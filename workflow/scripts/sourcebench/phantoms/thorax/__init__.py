"""Axial CT slices of the chest."""

from sourcebench.phantoms.thorax.thorax import Section, Series, Thorax

__all__ = ["Section", "Series", "Thorax"]
