"""Where the images and their labels come from.

A dataset is an entry of `datasets` in the config; its kind is a folder here, found by itself, with
all that one dataset needs: its class, and where it has them tables, labels, archives and a mirror
of phantoms. What serves them all are the modules beside the folders.
"""

from sourcebench.registry import discover

discover(__name__, __path__)
