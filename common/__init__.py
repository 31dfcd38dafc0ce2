"""The shared library of the e-commerce data platform: everything that a job imports."""

__version__ = "0.1.0"
