"""Procedural slices, one file per modality; `phantom_radiology` makes a data set of them."""
