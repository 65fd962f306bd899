"""An exception that nobody caught, as lines of the host's log."""

from bailiwick_sdk.failures import MOST_FRAMES, lines_of


def fails() -> None:
    raise KeyError("word")


def fails_later() -> None:
    try:
        fails()
    except KeyError as error:
        raise ValueError("two\nlines") from error


def deep(left: int) -> None:
    if left == 0:
        raise ValueError
    deep(left - 1)


def test_places_and_causes_are_named_the_innermost_first() -> None:
    try:
        fails_later()
    except ValueError as error:
        lines = list(lines_of(error))
    assert lines[0] == "ValueError: two lines"
    assert lines[1].endswith('in fails_later: raise ValueError("two\\nlines") from error')
    cause = lines.index("caused by KeyError: 'word'")
    assert lines[cause + 1].endswith('in fails: raise KeyError("word")')


def test_a_long_way_keeps_its_ends() -> None:
    try:
        deep(100)
    except ValueError as error:
        lines = list(lines_of(error))
    assert len(lines) == MOST_FRAMES + 2
    assert "... 90 more ..." in lines[1 + MOST_FRAMES // 2]
    assert lines[-1].endswith("in test_a_long_way_keeps_its_ends: deep(100)")
