import { channel } from "./channel.js"
import { film } from "./film.js"

// Milliseconds between two members: long enough to see where they differ.
const FLIP = 700

// Which member of the ensemble is shown: a slider, and a film of them all.
export function render({ model, el }) {
  const wire = channel(model)
  el.innerHTML = `<span class="film"><button type="button" aria-pressed="false" title="Flip through the members, equally likely states given the observations" aria-label="Flip through the members">▶</button><input type="range" id="member" min="1" max="${model.members}" step="1" aria-label="Member"><output for="member"></output></span>`
  const button = el.querySelector("button"), slider = el.querySelector("input")
  const choose = (value) => wire.send({ type: "member", value })
  slider.addEventListener("input", () => choose(Number(slider.value)))
  const step = () => { if (wire.idle && model.shows_member) choose(model.member % model.members + 1) }
  const flipping = film(model, button, FLIP, step, (on) => { button.textContent = on ? "■" : "▶" })
  const show = () => {
    el.getRootNode().host.style.display = model.shown ? "" : "none"
    if (!model.shown && flipping.on) flipping.play(false)
    slider.value = model.member
    el.querySelector("output").textContent = `${model.member}/${model.members}`
  }
  for (const name of ["member", "shown"]) model.on(name, show)
  show()
}
