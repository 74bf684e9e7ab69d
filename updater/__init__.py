"""What the machine knows and can do: inventory, registry scans, write-back, audit."""
