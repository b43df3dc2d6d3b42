// Panel scrolls new rows to where the old ones were, or to those that were selected among them, and
// what is in sight there may never be drawn: a blank table. Other rows begin at the top.
const up = (last) => {
  const view = window.Bokeh?.index?.find_one?.(cb_obj)
  const holder = view?.tabulator?.rowManager?.element
  // With other widths it is built anew, and has no columns until that is done; it then begins at its top.
  if (!holder || !view.tabulator.initialized) return
  view._lastVerticalScrollbarTopPosition = 0
  holder.scrollTop = 0
  if (last) view.tabulator.redraw(true)
}
up(false)
// After Panel's own scrolling, which waits for the data and then for a frame.
setTimeout(() => up(false), 60)
setTimeout(() => up(true), 300)
