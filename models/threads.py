"""One thread for products of matrices: the sums of several come in another order, and small ones wait for each other.

Waiting is what costs: libraries that share out a fit of two numbers take ten times the processor's time.
"""

from contextlib import AbstractContextManager
from functools import cache

import scipy.linalg.blas  # noqa: F401  so that SciPy's library is there to be found, as NumPy's is
from threadpoolctl import ThreadpoolController


def one_thread() -> AbstractContextManager[object]:
    """A stretch of work in which the libraries of linear algebra keep to one thread."""
    return _libraries().limit(limits=1, user_api="blas")


@cache
def _libraries() -> ThreadpoolController:
    """Those of this process, looked for once: it takes longer than many a product."""
    return ThreadpoolController()
