"""Pictures of states, responses and series as GeoViews and HoloViews elements.

One language for notebook and paper: every function returns an element, drawn by Bokeh (interactive)
or by Matplotlib (vector PDF and SVG, PNG of 300 dpi). Needs the extra ``plot``; nothing else in the
core imports it.
"""

from mlda_core.plotting.accessor import DatasetPlots
from mlda_core.plotting.cells import Cells
from mlda_core.plotting.cost import cost_curve
from mlda_core.plotting.densities import densities
from mlda_core.plotting.drivers import driver_bars
from mlda_core.plotting.look import Look, look_of
from mlda_core.plotting.maps import field_map
from mlda_core.plotting.output import caption, save
from mlda_core.plotting.projections import PROJECTIONS
from mlda_core.plotting.scatter import scatter
from mlda_core.plotting.series import series
from mlda_core.plotting.states import plot_analysis, plot_response, state_maps

__all__ = [
    "PROJECTIONS",
    "Cells",
    "DatasetPlots",
    "Look",
    "caption",
    "cost_curve",
    "densities",
    "driver_bars",
    "field_map",
    "look_of",
    "plot_analysis",
    "plot_response",
    "save",
    "scatter",
    "series",
    "state_maps",
]
