"""Getting files, and reading them, whatever dataset they are of."""
