"""The `check` command: whether everything that a month needs is in order, before the first month and at any time.

Each check is a function of its own that looks at one thing and gives lines; `runner` runs them one by one, so that one
that fails takes no other down. Nothing is sent and nothing is changed.
"""
