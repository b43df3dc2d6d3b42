// Tabulator makes its rows anew when a table is resized or its cells change, and the keyboard's place is gone with the
// old ones. It goes to the same control of the new rows, unless the visitor went elsewhere.
window.keepFocusInTables = () => {
  const CONTROLS = "button, input, select, a[href], [tabindex]"
  // Frames to wait for the new rows.
  const FRAMES = 20
  // A press on nothing takes the focus away, and means it.
  const PRESS = 200
  let pressed = -Infinity
  document.addEventListener("pointerdown", () => { pressed = performance.now() }, true)
  document.addEventListener("focusout", (e) => {
    const left = /** @type {HTMLElement} */ (e.composedPath()[0])
    const table = /** @type {ShadowRoot} */ (left.closest?.(".tabulator-row")?.getRootNode())
    if (!table || e.relatedTarget || performance.now() - pressed < PRESS) return
    const go = (frames) => {
      // Elsewhere when the visitor went on.
      if (document.activeElement !== document.body && !table.activeElement) return
      // By what it says: rows above it may be gone already. None where two say the same.
      const same = [...table.querySelectorAll(`.tabulator-row :is(${CONTROLS})`)].filter((c) => c.outerHTML === left.outerHTML)
      if (!table.activeElement && same.length === 1) /** @type {HTMLElement} */ (same[0]).focus({ preventScroll: true })
      if (frames) requestAnimationFrame(() => go(frames - 1))
    }
    requestAnimationFrame(() => go(FRAMES))
  })
}
