"""The `check` command: checks everything that a month needs, before the first month and at any time.

Each check is a function that looks at one thing and yields findings; `runner` isolates them, so that one that raises
does not stop the others. They send and change nothing.
"""
