"""The two types every Kubernetes document is made of."""

from typing import Any

Json = dict[str, Any]
# Typed recursively it would need a cast at every step into a manifest.
JsonValue = Any
