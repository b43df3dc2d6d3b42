"""What files are refused with."""

import pytest

from mlda_core.sources import SourceError
from mlda_core.sources.prepare import read_files


def refusal(*paths, source="auto", **asked):
    """Return the message with which files are refused, checked to be one sentence."""
    with pytest.raises(SourceError) as caught:
        read_files(list(paths), source, **asked)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    assert ". " not in message, "one sentence"
    return message
