"""Signs transactions, writes them to the journal, broadcasts, tracks and replaces them."""
