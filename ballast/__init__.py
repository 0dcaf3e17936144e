"""What scripts, keeper and replays share: a fund as data, its address book, its arithmetic in Python."""
