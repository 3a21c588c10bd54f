"""From predictions to numbers: metrics, the table of all runs, and the statistics on it."""
