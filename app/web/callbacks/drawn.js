// Passes a box or lasso that Bokeh's tools have finished on a map to the page's own JavaScript.
if (cb_obj.final) document.dispatchEvent(new CustomEvent("mlda:drawn", { detail: cb_obj.geometry }))
