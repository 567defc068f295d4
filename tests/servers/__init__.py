"""Real servers for the tests: PostgreSQL, and an S3 server that verifies signatures."""
