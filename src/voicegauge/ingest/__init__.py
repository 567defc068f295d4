"""Bytes to recordings: audio files, folders, and zips that nobody trusts."""
