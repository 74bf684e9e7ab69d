"""Reads and writes YAML as Go's yaml.v3 does, comments included, and knows where each piece stands.

reading.py    text -> Document (nodes with their offsets); hostile input is refused early
writing.py    Document -> text, indent 2, sequences level with their key
resolving.py  what a plain scalar is taken for
"""
