"""What a run's network makes of its test images: its latent space, and its surest failures.

After *Understanding Silent Failures in Medical Image Classification* (Bungert et al., MICCAI 2023),
section 2, whose views are a scatter of the latent space, clusters of concepts, and failures. There
each test set was embedded by itself; here all are embedded together, so that where a shifted image
lies beside the others can be read.
"""

from sourcebench.explorer.explored import Explored

__all__ = ["Explored"]
