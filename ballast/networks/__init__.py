"""Data of the networks on which a fund may be deployed."""
