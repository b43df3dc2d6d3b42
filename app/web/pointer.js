import { listen } from "./dom.js"

// Gestures on the maps while the tool Observe is chosen: a click on a free place observes there, a click on
// a marker withholds or restores it, dragging a marker moves it; dragging elsewhere stays Bokeh's (pan, box
// or lasso). Taken before Bokeh sees them, for its own point tool has no withholding and disables the pan.
const HIT = 9
const SLIP = 4
// Two clicks so near to each other in time and place are one: a double click would observe twice.
const TWICE_MS = 300
const TWICE_PX = 5

const found = new Map()
export const bokeh = (name) => {
  if (!found.has(name)) {
    for (const doc of window.Bokeh?.documents ?? []) {
      const model = doc.get_model_by_name(name)
      if (model) found.set(name, model)
    }
  }
  return found.get(name)
}

/**
 * Show on a button of the form whether it is pressed, where that is known in the browser alone.
 * @param {string} name - of its model
 * @param {boolean} on
 * @returns {HTMLElement | undefined}
 */
export const showPressed = (name, on) => {
  const button = window.Bokeh?.index?.find_one?.(bokeh(name))?.el.shadowRoot.querySelector("button")
  button?.setAttribute("aria-pressed", String(on))
  return button
}

// What dragging over a map does while something is to be drawn there; else it pans.
const DRAGS = { lasso: "lasso", box: "box", region: "box", aim: "box", mean: "box", over: "box", within: "box" }
// Which of these makes a geometry of Bokeh's.
const TOOLS = { rect: "box", poly: "lasso" }

/**
 * Let a drag over the maps draw what a mode needs.
 *
 * Done in the browser, at once: the server's answer came half a second later, and a tool that changes in the middle
 * of a drag is not told of its end (Bokeh then throws "Assertion failed" at its next start). `sync` is off, for the
 * server keeps no record of it.
 * @param {string} mode
 */
export function arm(mode) {
  const drag = DRAGS[mode] ?? "place"
  for (const map of document.querySelectorAll("main [data-variable] .map")) {
    /** @type {HTMLElement} */
    const row = map.closest("[data-variable]")
    const name = `drag-${row.dataset.variable}-${map.classList.contains("model") ? "model" : "target"}`
    const bar = bokeh(name), tool = bokeh(`${name}-${drag}`)
    if (bar && tool && bar.active_drag !== tool) bar.setv({ active_drag: tool }, { sync: false })
  }
}

/**
 * Act whenever another tool of the page is chosen, for the maps' pointer belongs to it.
 * @param {() => void} act
 * @returns {() => void} ends it
 */
export function whenTool(act) {
  const watcher = new MutationObserver(act)
  watcher.observe(document.documentElement, { attributes: true, attributeFilter: ["data-tool"] })
  return () => watcher.disconnect()
}

/**
 * Act on boxes and lassos on the maps until the function that is returned is called.
 *
 * Bokeh draws them; what one means is the mode in which its drag began.
 * @param {object} drawings
 * @param {() => boolean} drawings.active - whether they mean anything now
 * @param {() => string} drawings.mode - what dragging does
 * @param {(mode: string, variable: string, geometry: Drawing) => void} drawings.drawn
 */
export function drawing({ active, mode, drawn }) {
  let press = null
  const down = (e) => {
    if (e.button !== 0) return
    const map = active() ? e.target.closest?.("main .map") : null
    press = map ? { mode: mode(), variable: map.closest("[data-variable]").dataset.variable } : null
  }
  const finished = (e) => {
    const was = press
    press = null
    const { type, x0, x1, y0, y1, x, y } = e.detail
    if (!was || DRAGS[was.mode] !== TOOLS[type]) return
    // Bokeh gives the vertices of a lasso as typed arrays.
    const geometry = type === "rect" ? { type, x0, x1, y0, y1 } : { type, x: Array.from(x), y: Array.from(y) }
    drawn(was.mode, was.variable, geometry)
  }
  const ends = [listen(window, "pointerdown", down, true), listen(document, "mlda:drawn", finished)]
  return () => { for (const end of ends) end() }
}

/**
 * Act on gestures over the maps until the function that is returned is called.
 * @param {object} gestures
 * @param {() => boolean} gestures.active - whether gestures mean anything now
 * @param {() => string} gestures.mode - what dragging does
 * @param {(variable: string, x: number, y: number) => void} gestures.place
 * @param {(variable: string, row: number, x: number, y: number, done: boolean) => void} gestures.move
 * @param {(variable: string, row: number, e: PointerEvent) => void} gestures.toggle
 * @param {(row: number | null) => void} gestures.hover
 */
export function pointing({ active, mode, place, move, toggle, hover }) {
  const ranges = () => [bokeh("map-x"), bokeh("map-y")]
  const mapOf = (e) => e.target.closest?.("main .map")
  const variableOf = (map) => map.closest("[data-variable]").dataset.variable
  /** @returns {[number, number]} */
  const where = (map, e) => {
    const [xs, ys] = ranges(), box = map.getBoundingClientRect()
    return [xs.start + ((e.clientX - box.left) / box.width) * (xs.end - xs.start),
      ys.end - ((e.clientY - box.top) / box.height) * (ys.end - ys.start)]
  }
  const nearest = (map, e) => {
    const source = bokeh(`observations-${variableOf(map)}`), [xs, ys] = ranges()
    if (!source || !xs) return null
    const box = map.getBoundingClientRect(), { x, y } = source.data
    const kx = box.width / (xs.end - xs.start), ky = box.height / (ys.end - ys.start)
    let best = null, least = HIT * HIT
    for (let i = 0; i < x.length; i++) {
      const dx = box.left + (x[i] - xs.start) * kx - e.clientX
      const dy = box.top + (ys.end - y[i]) * ky - e.clientY
      const far = dx * dx + dy * dy
      if (far <= least) { least = far; best = i }
    }
    return best === null ? null : { source, i: best, row: source.data.row[best] }
  }

  let press = null, last = null
  // Whether this click is the second half of a double click.
  const again = (e) => {
    const before = last
    last = { at: e.timeStamp, x: e.clientX, y: e.clientY }
    return before !== null && e.timeStamp - before.at < TWICE_MS && Math.hypot(e.clientX - before.x, e.clientY - before.y) <= TWICE_PX
  }
  const down = (e) => {
    if (!active() || e.button !== 0) return
    const map = mapOf(e)
    if (!map) return
    const hit = ["place", "ask", "box", "lasso"].includes(mode()) ? nearest(map, e) : null
    press = { map, hit, x: e.clientX, y: e.clientY, moved: false, variable: variableOf(map) }
    if (hit) {
      // Bokeh must not pan with it.
      e.stopPropagation()
      e.preventDefault()
    }
  }
  const onMove = (e) => {
    if (!active()) return
    if (!press) {
      const map = mapOf(e)
      const hit = map ? nearest(map, e) : null
      document.documentElement.toggleAttribute("data-on-marker", hit !== null)
      hover(hit ? hit.row : null)
      return
    }
    if (Math.hypot(e.clientX - press.x, e.clientY - press.y) > SLIP) press.moved = true
    if (!press.hit || !press.moved || mode() === "ask") return
    e.stopPropagation()
    const [x, y] = where(press.map, e), { source, i, row } = press.hit
    if (source.data.row[i] === row) {
      source.data.x[i] = x
      source.data.y[i] = y
      source.change.emit()
    }
    move(press.variable, row, x, y, false)
  }
  const up = (e) => {
    const was = press
    press = null
    if (!was || !active()) return
    if (was.hit) {
      e.stopPropagation()
      if (was.moved && mode() === "ask") return
      if (was.moved) move(was.variable, was.hit.row, ...where(was.map, e), true)
      else if (!again(e)) toggle(was.variable, was.hit.row, e)
    } else if (!was.moved && ["place", "ask"].includes(mode()) && mapOf(e) === was.map && !again(e)) {
      place(was.variable, ...where(was.map, e))
    }
  }
  const cancel = () => { press = null }
  // A double click observes here; enlarging a row stays on its name, its scatter and Enter.
  const twice = (e) => { if (active() && ["place", "ask"].includes(mode()) && mapOf(e)) e.stopPropagation() }
  const ends = Object.entries({ pointerdown: down, pointermove: onMove, pointerup: up, pointercancel: cancel, dblclick: twice })
    .map(([name, act]) => listen(window, name, act, true))
  return () => {
    for (const end of ends) end()
    found.clear()
  }
}
