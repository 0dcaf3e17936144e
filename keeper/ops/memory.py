"""Keeps a process that runs for years at the memory of its first minutes.

CPython keeps freed tuples of up to 20 entries for reuse, up to 2,000 of each length, and empties these lists only in a
full collection. A tuple made from a generator is allocated with ten entries and freed with its final length, so each
tick adds to the lists and takes nothing from them: decoding an answer makes dozens. A full collection comes when live
objects have grown by a quarter: never, as a keeper's ticks leave nothing behind. So the lists grow by some MB.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def steady() -> Iterator[Callable[[], object]]:
    """Yields a full collection, to be called after every tick.

    It leaves out what exists now, some 100,000 objects of modules: so it takes less than a millisecond instead of tens.
    """
    gc.collect()
    gc.freeze()
    try:
        yield gc.collect
    finally:
        gc.unfreeze()
