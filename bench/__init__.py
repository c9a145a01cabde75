"""`python -m bench`: measures the real processes, each figure beside a bare limit of the same run."""
