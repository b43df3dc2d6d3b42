"""The form of Cycle: built when its tool is first open, and kept up with the run."""


def test_it_waits_until_its_tool_is_open(cycle_visit):
    v = cycle_visit("?tool=explore&month=1984-03-01&model=code")
    assert not v.form.root.objects
    v.send({"type": "tool", "value": "cycle"})
    assert v.form.root.objects
    assert v.form.method.widget.value == "3dvar"
    assert not any(part.visible for part in v.form.later), "there is no run yet"


def test_widgets_and_run_follow_each_other(cycle_visit):
    v = cycle_visit()
    v.form.stations.widget.value = "30"
    assert v.cycle.settings.stations == 30
    v.form.run.clicks += 1
    assert v.form.pause.visible
    v.settle(lambda one: len(one.work.days) >= 3)
    v.form.pause.clicks += 1
    v.settle()
    assert v.form.run.visible
    assert f"{len(v.work.days)} of 90 days" in v.form.count.object
    assert all(part.visible for part in v.form.later)
    v.form.area.widget.value = "north"
    v.form.withhold.clicks += 1
    v.settle()
    assert v.cycle.settings.changes == ((v.month, "north"),)
    assert v.form.restore.visible
    assert "Withheld on the day shown" in v.form.network.object
    v.form.variable.widget.value = "tas"
    assert v.cycle.curves().units == "K"
