"""What is learned: arrays in, fitted objects out. Knows no table and no database."""

import os

# Waiting OpenMP threads must sleep: spinning ones make two-thread training several times slower beside a busy process.
# The runtime reads this once, when LightGBM is loaded, so it is set before any module of this package can load it.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
