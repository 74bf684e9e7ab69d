"""How things are said: audit kinds as sentences, times, gates, diffs and links. No query, no rule."""
