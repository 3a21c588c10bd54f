"""What figures are made of: style, layout, curves, examples, and how they are written."""
