// Tells the page's own JavaScript of a box or lasso that Bokeh's tools have finished on a map.
if (cb_obj.final) document.dispatchEvent(new CustomEvent("mlda:drawn", { detail: cb_obj.geometry }))
