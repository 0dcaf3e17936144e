"""A fund on a test network that needs nothing but test ether: tokens, feeds, pools and the fund from one file."""
