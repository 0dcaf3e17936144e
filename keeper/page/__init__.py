"""The status page: what the keeper last saw and did, for people, over HTTP, read-only and without the internet."""
