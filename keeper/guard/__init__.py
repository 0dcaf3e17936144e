"""For the guardian: what each brake stops, costs and how long it lasts, and what a determination changes. Pure."""
