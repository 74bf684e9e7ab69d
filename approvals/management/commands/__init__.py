"""Management commands: thin doors to the domain."""
