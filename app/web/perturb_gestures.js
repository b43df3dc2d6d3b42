import { channel, underWay } from "./channel.js"
import { listen } from "./dom.js"
import { arm, drawing, pointing, showPressed, whenTool } from "./pointer.js"

// The buttons of the form after which a drag draws, by what it draws, and what stands on them till then.
const DRAWING = { box: "Drag a box …", lasso: "Draw round …", within: "Drag …", over: "Drag …" }
const PLAIN = { box: "Draw box", lasso: "Draw lasso", within: "Draw", over: "Draw" }

// The hand on the maps while the tool Perturb is chosen, and on the list of changes. What a drag draws is held here
// and goes with each drawing: a drag may follow a click at once. The form is Panel's; its buttons send `mlda:draw`.
export function render({ model }) {
  const wire = channel(model)
  const root = document.documentElement
  const mine = () => root.dataset.tool === "perturb"
  const clicked = () => ["sensitivity", "atlas"].includes(model.view)
  let mode = "", count = 0
  const show = () => {
    for (const [name, label] of Object.entries(DRAWING)) {
      const on = mode === name, button = showPressed(`perturb-${name}`, on)
      if (button) button.textContent = on ? label : PLAIN[name]
    }
    showPressed("perturb-sensitivity", model.view === "sensitivity")
    root.toggleAttribute("data-drawing", Boolean(mode))
    root.toggleAttribute("data-draws", Boolean(mode) || clicked())
  }
  const choose = (value) => {
    mode = value
    arm(value)
    show()
    wire.send({ type: "sea-mode", value })
  }
  const asked = (e) => choose(mode === e.detail ? "" : e.detail)
  model.on("remove", listen(document, "mlda:draw", asked))
  const rearm = () => {
    if (mine()) { arm(mode); return }
    // Another tool ends it.
    mode = ""
    show()
  }
  const unwatch = whenTool(rearm)
  const off = pointing({
    active: () => mine() && !mode && clicked(),
    mode: () => "place",
    place: (variable, x, y) => wire.send({ type: "sea-click", variable, x, y }),
    move: () => {}, toggle: () => {}, hover: () => {},
  })
  const undraw = drawing({
    active: mine,
    mode: () => mode,
    drawn: (by, variable, geometry) => {
      wire.send({ type: "sea-drawn", mode: by, variable, geometry }, `drawn${++count}`)
      // One is drawn; Bokeh's tool changes once it has ended its drag.
      mode = ""
      show()
      setTimeout(rearm, 0)
    },
  })
  // A press in a row of the list, or Tab into it, selects its change; a press on the box or the button does its own.
  const select = (e) => {
    if (!mine() || (e.type === "keyup" && e.key !== "Tab")) return
    const path = e.composedPath().filter((node) => node.matches), row = path.find((node) => node.matches(".patch"))
    if (!row || (e.type === "click" && path.some((node) => node.matches("button, label, [type=checkbox]")))) return
    const at = Number([...row.classList].find((name) => /^at\d+$/.test(name)).slice(2))
    if (at !== model.chosen) wire.send({ type: "sea-select", at })
  }
  const keys = (e) => {
    if (!mine()) return
    if (e.key === "Escape" && mode) choose("")
    const at = e.composedPath()[0]
    if (e.key !== "Delete" || model.chosen < 0 || at.matches?.("input:not([type=range], [type=checkbox]), select")) return
    wire.send({ type: "sea-delete", at: model.chosen })
  }
  const listeners = Object.entries({ click: select, keyup: select, keydown: keys })
  for (const end of [off, undraw, unwatch, ...listeners.map(([name, act]) => listen(document, name, act))]) model.on("remove", end)
  const running = () => {
    window.mldaUnderWay = { ...window.mldaUnderWay, response: model.busy ? 1 : 0 }
    underWay()
  }
  model.on("view", show)
  model.on("busy", running)
  running()
  rearm()
  show()
}
