"""The vendor's dialect and nothing else."""
