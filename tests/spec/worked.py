"""Worked examples as people write them; see `pipeline.catalogue.worked`."""

from pipeline.catalogue.worked import Example, agrees, example, examples

__all__ = ["Example", "agrees", "example", "examples"]
