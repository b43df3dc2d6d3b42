import { channel } from "./channel.js"
import { numberSlider, parse } from "./number_slider.js"

const STEP = 0.1

// The amount of one change of the sea: where it is, a number and a slider.
export function render({ model, el }) {
  const wire = channel(model), { at, most } = model
  el.innerHTML = `<div class="amount"><span class="what"></span>
    <span class="unit"><input class="num" inputmode="decimal" autocomplete="off" spellcheck="false" data-at="${at}">K</span>
    <span class="track"><i class="fill"></i><input type="range" min="${-most}" max="${most}" step="${STEP}" data-at="${at}"></span></div>`
  const $ = (query) => el.querySelector(query)
  const text = (value) => `${value < 0 ? "\u2212" : value > 0 ? "+" : ""}${Math.abs(value).toFixed(1)}`
  const slider = numberSlider($(".amount"), {
    reach: most, limit: most, step: STEP, text,
    read: (typed) => parse(typed.replace(/\s*K\s*$/i, "")),
    value: () => model.kelvin,
    send: (kelvin, done) => {
      $("[type=range]").setAttribute("aria-valuetext", `${text(kelvin)} kelvin`)
      wire.send({ type: "sea-edit", at, kelvin, done })
    },
    refuse: (typed) => wire.send({ type: "sea-edit", at, kelvin: typed, done: true }, "refused"),
  })
  const show = () => {
    $(".what").textContent = $(".what").title = model.where
    $(".amount").classList.toggle("off", !model.counts)
    $(".num").setAttribute("aria-label", `Kelvin, ${model.where}`)
    $("[type=range]").setAttribute("aria-label", `Change of the sea, ${model.where}`)
    $("[type=range]").setAttribute("aria-valuetext", `${text(model.kelvin)} kelvin`)
    slider.show()
  }
  for (const name of ["where", "kelvin", "counts"]) model.on(name, show)
  model.on("ack", () => { if (wire.idle) slider.answered() })
  show()
}
