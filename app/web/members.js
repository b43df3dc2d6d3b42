import { channel } from "./channel.js"

// Milliseconds between two members: long enough to see where they differ.
const FLIP = 700

// Which member of the ensemble is shown: a slider, and a film of them all.
export function render({ model, el }) {
  const wire = channel(model)
  el.innerHTML = `<span class="film"><button type="button" aria-pressed="false" title="Flip through the members, equally likely states given the observations" aria-label="Flip through the members">▶</button><input type="range" id="member" min="1" max="${model.members}" step="1" aria-label="Member"><output for="member"></output></span>`
  const button = el.querySelector("button"), slider = el.querySelector("input")
  const choose = (value) => wire.send({ type: "member", value })
  slider.addEventListener("input", () => choose(Number(slider.value)))
  let flipping = null
  const flip = (on) => {
    clearInterval(flipping)
    // Not before the last one is drawn.
    flipping = on ? setInterval(() => { if (wire.idle && model.shows_member) choose(model.member % model.members + 1) }, FLIP) : null
    button.textContent = on ? "■" : "▶"
    button.setAttribute("aria-pressed", String(on))
  }
  button.addEventListener("click", () => flip(flipping === null))
  const show = () => {
    el.getRootNode().host.style.display = model.shown ? "" : "none"
    if (!model.shown && flipping !== null) flip(false)
    slider.value = model.member
    el.querySelector("output").textContent = `${model.member} of ${model.members}`
  }
  model.on("remove", () => flip(false))
  for (const name of ["member", "shown"]) model.on(name, show)
  show()
}
