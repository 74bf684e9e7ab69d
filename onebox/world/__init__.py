"""The demo's outside world: the real protocols over loopback, so the product cannot tell the difference."""
