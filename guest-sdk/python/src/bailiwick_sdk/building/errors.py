"""What ends a build."""


class BuildError(Exception):
    """A build that cannot go on, and the exit code of the program."""

    def __init__(self, why: str, code: int = 1) -> None:
        super().__init__(why)
        self.code = code
