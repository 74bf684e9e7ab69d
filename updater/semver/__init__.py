"""Versions and version constraints as Masterminds semver 3.4 reads them (specification 2.5.1, 2.5.2). Pure."""

from updater.semver.constraint import Constraint, ConstraintError, parse_constraint
from updater.semver.version import Version, VersionError, parse_version

__all__ = [
    "Constraint",
    "ConstraintError",
    "Version",
    "VersionError",
    "parse_constraint",
    "parse_version",
]
