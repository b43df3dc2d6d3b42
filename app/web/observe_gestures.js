import { channel, underWay } from "./channel.js"
import { listen } from "./dom.js"
import { arm, bokeh, drawing, pointing, showPressed, whenTool } from "./pointer.js"
import { tableKeys } from "./table.js"

// The modes of the form's radio buttons, in their order; "region" and "aim" last for one box.
const MODES = ["place", "ask", "box", "lasso"]

// The hand on the maps while the tool Observe is chosen. What the pointer does is held here and goes with each
// gesture: a drag may follow the choice at once. The form is Panel's; its choices arrive as the event `mlda:mode`.
export function render({ model }) {
  const wire = channel(model)
  const root = document.documentElement
  const mine = () => root.dataset.tool === "observe"
  let mode = "place", hovered = null, count = 0
  const send = (type, gesture) => wire.send({ type, ...gesture }, `${type}${++count}`)
  const kind = () => bokeh("observe-as")?.value
  const whole = () => (bokeh("observe-station")?.active.length ?? 0) > 0

  // A mean is placed by a box; clicks go on placing its corners.
  const drags = () => mode === "place" && kind() === "mean" ? "mean" : mode
  const rearm = () => { if (mine()) arm(drags()) ; else if (root.dataset.tool === "explore") arm("place") }
  const show = () => {
    root.dataset.pointer = mode
    const at = MODES.indexOf(mode)
    bokeh("observe-mode")?.setv({ active: at < 0 ? null : at }, { sync: false })
    showPressed("observe-region", mode === "region")
  }
  const choose = (value) => {
    if (value === mode) return
    mode = value
    arm(drags())
    show()
    wire.send({ type: "obs-mode", value: mode })
  }
  // A second press on the button of the region ends its mode.
  const asked = (e) => choose(e.detail === "region" && mode === "region" ? "place" : e.detail)
  model.on("remove", listen(document, "mlda:mode", asked))
  model.on("remove", listen(document, "mlda:as", rearm))
  const unwatch = whenTool(rearm)

  const off = pointing({
    active: mine,
    mode: () => mode,
    place: (variable, x, y) => send(mode === "ask" ? "obs-ask-place" : "obs-place", { variable, x, y, as: kind() }),
    move: (variable, row, x, y, done) => wire.send({ type: "obs-move", variable, row, x, y, done }),
    toggle: (variable, row, e) => mode === "ask" ? send("obs-ask", { variable, row }) : send("obs-toggle", { variable, row, whole: e.shiftKey || whole() }),
    hover: (row) => {
      if (row === hovered) return
      hovered = row
      wire.send({ type: "obs-hover", row })
    },
  })
  const undraw = drawing({
    active: mine,
    mode: drags,
    drawn: (by, variable, geometry) => {
      send("obs-drawn", { mode: by, variable, geometry, whole: whole() })
      if (MODES.includes(by)) return
      // One region is drawn; Bokeh's tool changes once it has ended its drag.
      mode = "place"
      show()
      setTimeout(rearm, 0)
    },
  })
  const keys = (e) => {
    const at = e.composedPath()[0]
    if (e.key === "Escape" && mine() && model.begun) { wire.send({ type: "obs-give-up" }); return }
    if (e.key !== "Delete" || !mine() || !model.chosen) return
    if (at.matches?.("select, [role=slider], input:not([type=radio], [type=checkbox])")) return
    wire.send({ type: "obs-many", action: "delete" })
  }
  model.on("remove", listen(document, "keydown", keys))
  // A file that is too large would end the connection. Only this event leaves the shadow root of the input.
  const files = (e) => {
    const at = e.composedPath()[0], file = at.files?.[0]
    if (!file || file.size <= model.largest || !e.composedPath().some((node) => node.id === "tool-observe")) return
    at.value = ""
    wire.send({ type: "obs-too-large", name: file.name, size: file.size })
  }
  model.on("remove", listen(document, "input", files, true))
  for (const end of [off, undraw, unwatch, tableKeys()]) model.on("remove", end)

  const running = () => {
    // A step that waits for a person is no work under way.
    window.mldaUnderWay = { ...window.mldaUnderWay, analysis: model.run && model.run !== "paused" ? 1 : 0 }
    underWay()
  }
  model.on("run", running)
  running()
  show()
  rearm()
}
