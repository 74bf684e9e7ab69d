"""The REST API: the same domain calls as the pages, in JSON."""
