"""The guardian's part: what each brake stops, costs and lasts, and what a determination changes. Pure."""
