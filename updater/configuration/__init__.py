"""Reads the image updater's configuration (annotations, ImageUpdater resources, registries.conf). Pure."""
