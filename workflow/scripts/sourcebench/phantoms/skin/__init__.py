"""Skin lesions under a dermatoscope, in colour."""

from sourcebench.phantoms.skin.clinics import CLINICS
from sourcebench.phantoms.skin.dermoscope import render
from sourcebench.phantoms.skin.diagnoses import DIAGNOSES

__all__ = ["CLINICS", "DIAGNOSES", "render"]
