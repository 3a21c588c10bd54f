"""The design: who is confounded, who is in which fold, who is in a small training set.

One table per task and confounder answers this for every p_art and fraction. Of the classes one is
confounded, which of two is the positive one: its images have ranks, and one of rank r carries the
artifact when r < p_art, so that the images confounded at 0.2 are among those at 0.5; a
patient of share s is in the training set when s < fraction, so that 5 % are among the 10 %.

Where the sampling is the confounder (gender), nothing is drawn into an image: `carrier` says which
images have the attribute. Of the confounded class, images with it are in when rank < p_art, images
without it when rank >= p_art, so that their number stays the same; other classes are without it.
"""

from sourcebench.design.assign import build
from sourcebench.design.checks import check, require_folds
from sourcebench.design.labels import CONFOUNDED, classes, confounded
from sourcebench.design.published import from_published
from sourcebench.design.rows import (
    NONE,
    TEST_SETS,
    development,
    fold_columns,
    long_form,
    read,
    test,
    test_sets,
)

__all__ = [
    "CONFOUNDED",
    "NONE",
    "TEST_SETS",
    "build",
    "check",
    "classes",
    "confounded",
    "development",
    "fold_columns",
    "from_published",
    "long_form",
    "read",
    "require_folds",
    "test",
    "test_sets",
]
