"""Programs that show how to work with a fund; nothing depends on them."""
