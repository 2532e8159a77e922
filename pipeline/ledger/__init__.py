"""The consent ledger: artefacts in the shape account aggregators give them, read into `consents`, explained, receipted.

Nothing here decides what may be seen: that is `pipeline.gate` alone.
"""
