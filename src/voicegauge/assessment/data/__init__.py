"""Data that the measurements are made with, as Python modules, so that no file is read."""
