"""What is known of the networks that a fund may stand on."""
