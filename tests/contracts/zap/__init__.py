"""The zap: shares for one token, and back, in one transaction."""
