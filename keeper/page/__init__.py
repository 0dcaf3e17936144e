"""The status page: what the keeper last saw and did, over HTTP, read-only, without resources from the internet."""
