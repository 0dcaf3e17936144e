"""What the owner of a fund, its timelock, is asked to do, in words: calls, operations, and how file and chain differ.

Pure: whoever reads the chain hands over what stands there.
"""
