"""What files are refused with."""

import pytest

from mlda_core.sources import SourceError
from mlda_core.sources.prepare import read_files


def one_sentence(error):
    """Return the message of an error, checked to be one sentence."""
    message = str(error)
    assert "\n" not in message
    assert message.endswith(".")
    assert ". " not in message.replace("A.D. ", ""), "one sentence"
    return message


def refusal(*paths, source="auto", **asked):
    """Return the message with which files are refused, checked to be one sentence."""
    with pytest.raises(SourceError) as caught:
        read_files(list(paths), source, **asked)
    return one_sentence(caught.value)
