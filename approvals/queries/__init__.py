"""What the pages read: a fixed number of queries each, shaped for the templates, ready for a million rows."""
