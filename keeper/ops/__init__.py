"""What tells people and machines how the keeper is doing: HTTP server, health, metrics, alerts."""
