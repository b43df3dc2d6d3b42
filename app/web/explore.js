import { channel } from "./channel.js"
import { escape } from "./dom.js"
import { numberSlider, place } from "./number_slider.js"

const RANGE = 4
const STEP = 0.05


export function render({ model, el }) {
  const wire = channel(model), LIMIT = model.limit
  el.innerHTML = `
  <section class="tool" aria-label="Explore">
    <div class="actions" role="group" aria-label="Where the model's state comes from">
      <button type="button" id="encode" title="Set all latents to the code of the ${model.step} shown: what the encoder makes of it">Encode ${model.step}</button>
      <button type="button" id="prior" title="Set all latents to zero: the model's mean for this season">Prior mean</button>
      <span class="pair"><button type="button" id="random" title="Draw every latent from N(0, 1)">Random</button>
      <label><span class="hidden">Seed of the next draw</span>
        <input type="number" id="seed" min="0" max="2147483647" step="1" title="Seed of the next draw"></label></span>
    </div>
    <p class="origin" aria-live="polite"></p>
    <p class="hint legend"><i class="mark"></i> this ${model.step}'s code, from the encoder ${model.about}</p>
    <ol class="latents first"></ol>
    <details class="walk" open><summary>Walk between two states</summary>
      <form>
        <label>from <input id="from" spellcheck="false" autocomplete="off"></label>
        <label>to <input id="to" spellcheck="false" autocomplete="off"></label>
        <button type="submit" id="walk">Walk</button>
      </form>
      <p class="hint">A ${model.step} (${model.walk_from}) or a draw by its seed (draw 7), decoded in the season of the ${model.step} shown.</p>
    </details>
    <details class="all"><summary>All ${model.z.length} latents</summary><ol class="latents rest"></ol></details>
  </section>`
  const $ = (query) => el.querySelector(query)
  const rows = new Map()
  let walk = null

  const text = (value) => (Math.abs(value) < 0.005 ? 0 : value).toFixed(2).replace("-", "\u2212")

  const makeRow = (info) => {
    const item = document.createElement("li")
    item.innerHTML = `
      <span class="thumb"><img alt="" width="84" height="42" draggable="false"></span>
      <span class="what"></span>
      <input class="num" inputmode="decimal" autocomplete="off" spellcheck="false">
      <span class="track"><i class="mark" title="The code of the ${model.step} shown"></i><i class="fill"></i>
        <input type="range" min="${-RANGE}" max="${RANGE}" step="0.01"></span>`
    /** @type {NodeListOf<HTMLInputElement>} */
    const [number, range] = item.querySelectorAll("input")
    const k = info.k
    range.dataset.k = number.dataset.k = k
    const slider = numberSlider(item, {
      reach: RANGE, limit: LIMIT, step: STEP, text,
      value: () => model.z[k],
      send: (value, done) => {
        stop()
        wire.send(done ? { type: "z", k, value, done } : { type: "z", k, value }, `z${k}`)
        window.mldaPreview?.move(k, value)
      },
      refuse: (typed) => {
        stop()
        wire.send({ type: "z", k, value: typed, done: true }, `refused${k}`)
      },
    })
    const row = { item, img: item.querySelector("img"), what: item.querySelector(".what"), number, range,
      mark: item.querySelector(".mark"), slider }
    rows.set(k, row)
    describe(info)
    mark(k)
    return item
  }
  const describe = (info) => {
    const row = rows.get(info.k)
    if (!row) return
    row.what.innerHTML = `<b>z<sub>${info.k + 1}</sub></b> <span>${escape(info.label)}</span>`
    row.what.title = info.title
    if (info.thumb) row.img.src = info.thumb
    row.item.classList.toggle("bare", !info.thumb)
    row.range.setAttribute("aria-label", `Latent ${info.k + 1}, moves ${info.label} most`)
    row.number.setAttribute("aria-label", `Value of latent ${info.k + 1}`)
  }
  const mark = (k) => {
    const row = rows.get(k)
    if (row) row.mark.style.left = `calc(7px + (100% - 14px) * ${place(model.marks[k], RANGE) / 100})`
  }

  const fill = (list, infos) => { for (const info of infos) list.append(makeRow(info)) }
  fill($(".first"), model.latents)
  const restOpen = () => {
    if (!$(".all").open || !model.rest.length) return
    for (const info of model.rest) { if (rows.has(info.k)) describe(info); else $(".rest").append(makeRow(info)) }
  }
  $(".all").addEventListener("toggle", () => {
    if ($(".all").open) wire.send({ type: "rest" })
    restOpen()
  })

  model.on("latents", () => model.latents.forEach(describe))
  model.on("rest", restOpen)
  model.on("marks", () => { for (const k of rows.keys()) mark(k) })
  model.on("z", () => {
    for (const { slider } of rows.values()) slider.show()
  })
  // An answer to the key pressed before would take this one back: a row waits for its last answer.
  model.on("ack", () => {
    if (!wire.idle) return
    window.mldaPreview?.release()
    for (const { slider } of rows.values()) slider.answered()
  })

  const act = (message) => { stop(); wire.send(message) }
  $("#encode").addEventListener("click", () => act({ type: "encode" }))
  $("#prior").addEventListener("click", () => act({ type: "prior" }))
  $("#random").addEventListener("click", () => act({ type: "random", seed: $("#seed").value }))
  // What was typed stands until it is answered: then the seed in force, also after a refusal.
  let asked = false
  $("#seed").addEventListener("input", () => { asked = false })
  $("#seed").addEventListener("change", () => { asked = true; wire.send({ type: "seed", seed: $("#seed").value }) })
  model.on("ack", () => {
    if (!asked || !wire.idle) return
    asked = false
    $("#seed").value = model.seed
  })
  const showState = () => {
    $(".origin").textContent = $(".origin").title = model.origin
    $("#encode").setAttribute("aria-pressed", String(model.follow))
    if (el.getRootNode().activeElement !== $("#seed")) $("#seed").value = model.seed
  }
  for (const name of ["origin", "follow", "seed"]) model.on(name, showState)
  showState()

  // A walk is driven from here, one step when the last is drawn: it ends when the page does.
  const halt = () => {
    if (!walk) return
    cancelAnimationFrame(walk.timer)
    walk = null
    $("#walk").textContent = "Walk"
  }
  const stop = () => {
    if (!walk) return
    halt()
    wire.send({ type: "walked" })
  }
  const advance = (now) => {
    if (!walk) return
    const t = Math.min(1, (now - walk.start) / walk.length)
    if (wire.idle) {
      // The end itself is shown too: only when it is drawn is the walk over.
      if (walk.last) { stop(); return }
      walk.last = t >= 1
      wire.send({ type: "walk", t: 0.5 - 0.5 * Math.cos(Math.PI * t) })
    }
    walk.timer = requestAnimationFrame(advance)
  }
  $("#from").value = model.walk_from
  $("#to").value = model.walk_to
  $(".walk form").addEventListener("submit", (e) => {
    e.preventDefault()
    if (walk) { stop(); return }
    wire.send({ type: "walk-from", from: $("#from").value, to: $("#to").value })
  })
  model.on("walk_id", () => {
    if (!model.walk_id) return
    halt()
    walk = { id: model.walk_id, start: performance.now(), length: 7000, last: false, timer: 0 }
    $("#walk").textContent = "Stop"
    walk.timer = requestAnimationFrame(advance)
  })
  // Something else changed the state, as the next month does: the server has left the walk.
  model.on("msg:custom", (event) => {
    const message = event.data ?? event
    if (message.type === "walk-over" && walk?.id === message.id) halt()
  })
  model.on("remove", halt)
}
