"""Where uploads lie."""
