"""A twin of the fine-tuning: the reference's recipe in the reference's own framework, Keras.

Source Matters was trained in Keras; SourceBench trains in PyTorch. Here both train the same network
from the same weights on the same images, so that what differs is seen, and not believed away.
"""

import os

# Keras reads these when it is first imported. TensorFlow is not among the dependencies; Keras'
# layers, losses, optimisers and callbacks are its own whatever computes them.
os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("KERAS_TORCH_DEVICE", "cpu")

import common

__all__ = ["common"]
