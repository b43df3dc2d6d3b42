// Bokeh writes a tooltip when the pointer moves: under one that rests it would tell the analysis
// before. And it leaves a tooltip where a drag began, over what is being dragged or drawn.
window.mldaPointer ??= (() => {
  const at = { target: null, x: 0, y: 0, held: false }
  at.tell = (type) => {
    if (!at.target?.isConnected) return
    at.target.dispatchEvent(new PointerEvent(type, { bubbles: true, composed: true, isPrimary: true,
      pointerType: "mouse", clientX: at.x, clientY: at.y }))
  }
  window.addEventListener("pointermove", (event) => {
    if (!event.isTrusted) return
    const held = event.buttons !== 0
    if (held && !at.held) at.tell("pointerout")
    at.held = held
    at.target = !held && event.target.closest?.("main .map") ? event.composedPath()[0] : null
    at.x = event.clientX
    at.y = event.clientY
  }, true)
  return at
})()
requestAnimationFrame(() => window.mldaPointer.tell("pointermove"))
