"""Files of weights: how they are packed, how they are read, and what names they give."""
