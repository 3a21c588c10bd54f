"""One file per family of architectures. Each registers builders, and imports PyTorch in them."""
