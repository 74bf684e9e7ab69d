"""Clients of outside systems, one package each; no type of theirs leaves its package."""
