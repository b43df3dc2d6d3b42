// Bokeh writes a tooltip when the pointer moves: under one that rests it would tell the analysis before. And it leaves
// a tooltip where a drag began, over what is being dragged or drawn. From the page's beginning on: who rests on a map
// before the first new frame would else not be known to.
window.mldaPointer = (() => {
  let target = null, x = 0, y = 0, before = false
  const tell = (type) => {
    if (!target?.isConnected) return
    target.dispatchEvent(new PointerEvent(type, { bubbles: true, composed: true, isPrimary: true,
      pointerType: "mouse", clientX: x, clientY: y }))
  }
  window.addEventListener("pointermove", (event) => {
    if (!event.isTrusted) return
    const held = event.buttons !== 0
    if (held && !before) tell("pointerout")
    before = held
    const over = /** @type {Element} */ (event.target)
    target = !held && over.closest?.("main .map") ? event.composedPath()[0] : null
    x = event.clientX
    y = event.clientY
  }, true)
  return { tell }
})()
