"""`python -m pipeline.cli` is `saakh`."""

from pipeline.cli import main

main()
