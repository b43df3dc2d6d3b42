// A card that opens in a column that scrolls is shown whole, once its words are there; then it stays where it is.
const card = cb_obj.visible && window.Bokeh?.index?.find_one?.(cb_obj)
const show = (tries) => {
  const told = card.child_views.some((part) => part.el.shadowRoot?.querySelector(".sentence"))
  card.el.scrollIntoView({ block: "nearest" })
  if (tries && card.model.visible) setTimeout(() => show(told ? 0 : tries - 1), 150)
}
if (card) setTimeout(() => show(40), 0)
