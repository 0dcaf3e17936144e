"""Keeps the memory of a process that runs for years constant.

CPython keeps freed tuples of up to 20 entries in free lists for reuse, up to 2,000 of each length, and empties them
only in a full collection. A tuple made from a generator is allocated with ten entries and freed with its final length,
so each tick adds to the lists and takes nothing from them: decoding an answer makes dozens. A full collection comes
when live objects have grown by a quarter: never, as a keeper's ticks leave nothing behind. So the lists grow by some
MB.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def steady() -> Iterator[Callable[[], object]]:
    """Yields a function that runs a full collection; call it after every tick.

    It skips the objects that exist now, some 100,000 of modules: so it takes less than a millisecond instead of tens.
    """
    gc.collect()
    gc.freeze()
    try:
        yield gc.collect
    finally:
        gc.unfreeze()
