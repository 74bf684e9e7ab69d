"""Edits of the files a promotion writes: override file, Helm values, kustomization. Pure text work."""
