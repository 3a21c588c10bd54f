"""Numbers that a paper published, beside those of a study that does what the paper did.

`source_matters.yaml` has the numbers and what they were got with. `match` says which of them a
study can be compared with, `table` compares. All of it is in the paper's metric: its AUC is what
Keras computes (`auc_keras`), which is no AUROC.
"""

from sourcebench.evaluation.published.files import PAPERS, read
from sourcebench.evaluation.published.match import Published, Setting, matching

__all__ = ["PAPERS", "Published", "Setting", "matching", "read"]
