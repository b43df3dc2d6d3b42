"""What a probability is of, in the words of each variable."""

import pytest

from app.tools.event_words import event_words
from mlda_core.climate.variables import DEFAULTS


@pytest.mark.parametrize(
    ("name", "event", "threshold", "words"),
    [
        ("psl", "above", 0.0, "higher than usual"),
        ("tos", "above", 0.0, "warmer than usual"),
        ("pr", "lower", 0.0, "driest fifth"),
        ("psl", "upper", 0.0, "highest fifth"),
        ("tas", "over", -1.5, "above −1.5 K"),
        ("pr", "under", 0.0, "below 0 mm/day"),
    ],
)
def test_events_are_said_as_people_say_them(name, event, threshold, words):
    assert event_words(DEFAULTS[name], event, threshold) == words
