"""How people and machines see the keeper's condition: HTTP server, health, metrics, alerts."""
