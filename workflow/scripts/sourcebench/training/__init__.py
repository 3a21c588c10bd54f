"""Training: fine-tuning a network from a source on a confounded task, and testing it."""
