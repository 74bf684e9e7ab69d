"""What commands print holds the words of strangers: paths, trailers and addresses of commits, labels of images."""


def plain(line: str) -> str:
    """Return a line that moves nothing on a terminal and stays one line: what is not printable is spelled out."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in line)
