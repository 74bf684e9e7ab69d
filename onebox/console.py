"""What the person at the terminal reads: lines with the seconds since the start."""

import sys
import time


class Console:
    """A terminal with a stop-watch."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def say(self, message: str) -> None:
        """Print one line of progress."""
        self.show(f"{time.monotonic() - self._started:7.2f} s  {message}")

    def show(self, text: str) -> None:
        """Print a text as it is."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
