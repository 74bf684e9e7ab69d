"""The pages: each view turns the request into one domain call or one query, and the answer into a page."""
