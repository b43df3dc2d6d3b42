"""The table of observations that is edited in place."""

from visiting import SOME


def test_other_rows_begin_at_the_top_of_the_table_and_an_edited_one_does_not_move_it(visit):
    v = visit(f"{SOME}&live=0")
    listing = v.observer.listing
    rows = v.rows.copy()
    told = list(listing.widget.tags)
    rows["value"] += 1.0
    listing.show(rows, None, [])
    listing.show(rows.iloc[:-1], None, [])
    assert listing.widget.tags == told
    # A few cells are patched; a new table would be drawn from its top.
    sent = []
    listing.widget.param.watch(sent.append, "value")
    rows = rows.iloc[:-1].copy()
    rows.loc[1, "value"] += 1.0
    listing.show(rows, None, [])
    assert listing.widget.value["value"][1] == round(rows["value"][1], 3)
    assert not sent
    listing.show(rows.iloc[:2], None, [])
    assert listing.widget.tags != told
