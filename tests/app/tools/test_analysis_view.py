"""What the columns show of an analysis, and why where they show nothing."""

from visiting import SOME


def test_without_a_posterior_it_is_said_what_to_choose(visit):
    v = visit(f"{SOME}&method=climatology")
    v.settle()
    assert v.view.why_no_posterior("Ranks").startswith("Ranks: this method has no posterior")
    ensemble, why = v.view.members()
    assert ensemble is None
    assert why == v.view.why_no_posterior("Ranks")
    v.send(type="prior")
    assert "resume" in v.view.why_no_posterior("Ranks")


def test_the_column_is_the_same_object_while_it_shows_the_same(visit):
    v = visit(f"{SOME}&column=increment")
    v.settle()
    column = v.view.column()
    assert column.fields is not None
    assert v.view.column() is column
    assert v.view.name == "analysis"
    assert v.view.fields is v.work.fields


def test_empty_columns_say_what_to_do(visit):
    v = visit("?network=none&tool=observe&model=analysis")
    v.settle()
    assert v.observer.heading.hint == "Click a map to observe there"
    v.send(type="column", value="influence")
    assert "Point at an observation" in v.observer.heading.hint
