"""A process that runs for years takes no more memory than in its first minutes.

CPython puts freed tuples of up to 20 entries aside for use again, up to 2,000 of each length, and empties these lists
in a full collection only. A tuple made from a generator is taken as one of ten entries and given back with the length
that it has come to, so a tick adds some to the lists and takes none from them: decoding an answer makes dozens. Full
collections come when what lives on has grown by a quarter. A keeper's ticks leave nothing behind, so for it they never
come, and the lists grow by some MB until they are full.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def steady() -> Iterator[Callable[[], object]]:
    """Gives what empties CPython's lists of freed objects, to be called after every tick.

    That is a full collection. What is there at the beginning, some 100,000 objects of modules, is left out of it until
    the end: it takes less than a millisecond then, and tens of them otherwise.
    """
    gc.collect()
    gc.freeze()
    try:
        yield gc.collect
    finally:
        gc.unfreeze()
