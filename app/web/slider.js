import { channel } from "./channel.js"
import { escape } from "./dom.js"

// A slider of a setting. Panel's own has no name for screen readers, says nothing when it is let go where it was let
// go before, and knows no back-pressure.
export function render({ model, el }) {
  const wire = channel(model)
  el.innerHTML = `<div class="line"><label title="${escape(model.title)}"><span>${escape(model.label)}</span><input type="range" min="${model.low}" max="${model.high}" step="${model.step}"><output></output></label>${model.about}</div>`
  /** @type {HTMLInputElement} */
  const input = el.querySelector("input")
  const told = () => { el.querySelector("output").textContent = model.words.replace("{}", Number(input.value).toFixed(2)) }
  const show = () => {
    input.disabled = Boolean(model.idle)
    el.querySelector("label").classList.toggle("idle", input.disabled)
    el.querySelector("label").title = model.idle || model.title
    // What the hand has moved on from meanwhile does not come back under it.
    if (el.getRootNode().activeElement !== input || wire.idle) input.value = model.value
    told()
  }
  const set = (done) => {
    told()
    wire.send({ type: "observing", name: model.setting, value: Number(input.value), done })
  }
  input.addEventListener("input", () => set(false))
  input.addEventListener("change", () => set(true))
  for (const name of ["value", "idle", "ack"]) model.on(name, show)
  show()
}
