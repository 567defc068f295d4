"""Who is calling, and for which project."""
