"""What a zap would take or bring, planned off chain: `quote` is arithmetic, `read` asks a node for what it needs."""
