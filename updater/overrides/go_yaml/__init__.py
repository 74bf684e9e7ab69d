"""Reads and writes YAML as Go's yaml.v3 does, comments included, and knows where each piece stands.

scanning.py    text -> tokens and comments (scalars.py, comments.py)
reading.py     tokens -> Document (nodes with their offsets); hostile input is refused early
writing.py     Document -> text, indent 2, lists level with their key (styles.py, emitting.py)
resolving.py   what a plain scalar is taken for
"""
