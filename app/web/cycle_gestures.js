import { channel, underWay } from "./channel.js"
import { arm, pointing, whenTool } from "./pointer.js"

// The hand on the maps while the tool Cycle is chosen: a click observes there, where one observation is shown.
export function render({ model }) {
  const wire = channel(model)
  const root = document.documentElement
  const mine = () => root.dataset.tool === "cycle"
  const rearm = () => { if (mine()) arm("place") }
  const unwatch = whenTool(rearm)
  const off = pointing({
    active: () => mine() && model.clicks,
    mode: () => "place",
    place: (variable, x, y) => wire.send({ type: "cycle-place", variable, x, y }),
    move: () => {}, toggle: () => {}, hover: () => {},
  })
  model.on("remove", off)
  model.on("remove", unwatch)
  const show = () => {
    root.toggleAttribute("data-observes", model.clicks)
    window.mldaUnderWay = { ...window.mldaUnderWay, cycle: model.busy ? 1 : 0 }
    underWay()
  }
  model.on("clicks", show)
  model.on("busy", show)
  show()
  rearm()
}
