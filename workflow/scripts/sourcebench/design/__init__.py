"""The design: who is confounded, who is in which fold, who is in a small training set.

One table per task and confounder answers this for every p_art and fraction. A positive of rank r
carries the artifact when r < p_art, so that the images confounded at 0.2 are among those at 0.5; a
patient of share s is in the training set when s < fraction, so that 5 % are among the 10 %.

Where the sampling is the confounder (gender), nothing is drawn into an image: `carrier` says which
images have the attribute. Positives with it are in when rank < p_art, positives without it when
rank >= p_art, so that the number of positives stays the same; negatives are without it.
"""

from sourcebench.design.assign import build
from sourcebench.design.checks import check, require_folds
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
    "NONE",
    "TEST_SETS",
    "build",
    "check",
    "development",
    "fold_columns",
    "from_published",
    "long_form",
    "read",
    "require_folds",
    "test",
    "test_sets",
]
