"""Code shared by scripts, keeper and replays: a fund as data, its address book, its arithmetic in Python."""

__version__ = "0.3.0"
