"""One measure a file: `measure(run)` gives its figures."""
