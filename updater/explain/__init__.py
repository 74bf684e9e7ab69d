"""Explains decisions of the machine on the command line; it reads, and never writes."""
