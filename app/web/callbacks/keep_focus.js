// One of two buttons stands in the place of the other: the keyboard goes along, and is not lost with what is hidden.
const left = window.Bokeh?.index?.find_one?.(cb_obj)
if (left && !cb_obj.visible && left.el.getRootNode().activeElement === left.el) {
  // Once the other is drawn.
  const go = (tries) => {
    const button = window.Bokeh.index.query_one((view) => view.model.tags?.includes(other))?.el.shadowRoot.querySelector("button")
    button?.focus()
    if (tries && !button?.matches(":focus")) requestAnimationFrame(() => go(tries - 1))
  }
  requestAnimationFrame(() => go(10))
}
