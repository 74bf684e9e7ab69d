"""What can be made to go wrong on the git host; pages for people are spared."""

from dataclasses import dataclass, field

from onebox.world.git_host.api import ApiAnswer


@dataclass(slots=True)
class Faults:
    """Switches read at every request of the git protocol."""

    status: int = 0  # answer with this instead
    redirect_to: str = ""  # answer 301 to this address with the same path
    refuses: bool = False  # close the connection without a word
    loses_answers: bool = False  # do the work, then close the connection
    loses_pushes: bool = False  # the same, for the request that brings the commits
    delay_seconds: float = 0.0
    is_old: bool = (
        False  # speak only the first protocol, in which a single file's content cannot be asked for
    )

    api_answers: list[ApiAnswer] = field(default_factory=list)  # given once each, before any work
    loses_api_answers: int = 0  # do so many writes of the API, then close the connection

    def loses(self, path: str) -> bool:
        """Whether the answer to a request for `path` is to get lost."""
        return self.loses_answers or (self.loses_pushes and path.endswith("/git-receive-pack"))
