"""Sending transactions: signed, written to the journal, sent, watched and replaced."""
