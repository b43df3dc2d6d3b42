"""Maps and scatters: arrays first, then Bokeh figures."""
