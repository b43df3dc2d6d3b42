"""Charts as Bokeh figures: made once, afterwards only their sources change."""
