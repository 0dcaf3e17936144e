"""The `check` command: whether everything that a month needs is in order, before the first month and at any time.

Each check is a function that looks at one thing and yields lines; `runner` isolates them, so that a failing one stops
no other. Nothing is sent or changed.
"""
