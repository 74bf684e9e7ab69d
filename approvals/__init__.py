"""What people decide, and the life of a promotion."""
