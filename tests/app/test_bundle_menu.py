"""Change of bundle."""

import json
from urllib.parse import parse_qs

import pytest
from visiting import Visit

from app.bundles import open_bundle


@pytest.fixture
def visit(shelf):
    assert shelf.is_dir()
    v = Visit(open_bundle("other"), "?bundle=other&month=1963-01&theme=dark&live=0", key="other")
    v.sent = []
    v.session.bar._send_msg = v.sent.append
    yield v
    v.session.close()


def test_a_projection_that_nobody_chose_stays_behind(visit):
    visit.send(type="projection", value="north")
    visit.send(type="bundle", value="speedy")
    visit.settle(lambda v: v.sent)
    assert parse_qs(visit.sent[0]["query"])["projection"] == ["north"]


def test_another_bundle_is_opened_before_the_page_is_left(visit):
    assert visit.session.key == "other"
    choices = visit.session.bundle_menu.choices()
    assert [key for key, *_ in choices] == ["damaged", "grey", "other", "speedy"]
    visit.send(type="bundle", value="speedy")
    assert visit.status == "Opening The speedy one …"
    visit.settle(lambda v: v.sent)
    (message,) = visit.sent
    assert message["type"] == "go"
    assert parse_qs(message["query"]) | {"fields": None} == {
        "bundle": ["speedy"],
        "month": ["1963-01"],
        "theme": ["dark"],
        "tool": ["observe"],
        "fields": None,
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "words"), [("damaged", "checksum"), ("gone", "no bundle 'gone'"), ("other", "")]
)
def test_the_page_stays_where_there_is_nothing_better(visit, key, words):
    state = visit.session.state.snapshot()
    visit.send(type="bundle", value=key)
    visit.settle(lambda v: v.session.bar.failed or key == "other")
    assert words in visit.status
    assert visit.session.state.snapshot() == state
    assert not visit.sent


def test_a_saved_state_is_opened_with_its_own_bundle(visit):
    visit.send(type="save")
    saved = json.loads(visit.sent.pop()["text"])
    assert saved["bundle"] == "other"
    visit.send(type="load", text=json.dumps(saved | {"bundle": "speedy"}))
    visit.settle(lambda v: v.sent)
    assert visit.sent[0]["file"]
    assert parse_qs(visit.sent[0]["query"])["bundle"] == ["speedy"]
    visit.send(type="load", text=json.dumps(saved | {"bundle": "elsewhere"}))
    assert visit.session.bar.failed
    assert "state of the bundle 'elsewhere'" in visit.status
