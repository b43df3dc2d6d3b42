import { channel, underWay } from "./channel.js"
import { escape, moveByArrows } from "./dom.js"
import { arm, drawing, pointing, whenTool } from "./pointer.js"

const STEP = 0.1
const FADING = "Faded: where the response is smaller than one posterior standard deviation of a single month, so that one month alone could not show it. Means over many months can still be sure of it."
const DRAWING = { box: "Drag a box …", lasso: "Draw round …" }

export function render({ model, el }) {
  const wire = channel(model)
  const root = document.documentElement
  const option = ([key, label, short]) => `<option value="${key}" title="${escape(label)}">${escape(short ?? label)}</option>`
  const most = model.most
  el.innerHTML = `<section class="tool" aria-label="Perturb">
    <h3>Change the sea</h3>
    <div class="line"><label class="grow"><span class="hidden">Add a region</span><select id="add"><option value="">Add a region …</option>${model.regions.map(([key, label, short]) =>
      option([key, label, key === "globe" ? "Everywhere" : short])).join("")}</select></label>
      <button type="button" data-draw="box" title="Drag a box over a map">Draw box</button>
      <button type="button" data-draw="lasso" title="Draw round a part of the sea with the pointer">Draw lasso</button></div>
    <ol class="patches" aria-label="Changes of the sea; they add up"></ol>
    <p class="empty" hidden>The sea is as it was. Add a region, or draw on a map.</p>
    <div class="total"><span class="change"></span><button type="button" id="clear">Clear</button></div>
    <p class="beyond"></p>
    <p class="answered" role="status" aria-live="polite"></p>
    <div class="block"><h3 id="held-title">What is held</h3>
      <div class="held" role="radiogroup" aria-labelledby="held-title">${model.helds.map(([key, label]) =>
        `<label><input type="radio" name="held" value="${key}">${escape(label)}</label>`).join("")}</div>
      <div class="line within" hidden><label class="grow">Free inside <select id="within"><option value="">where the sea is changed</option>${model.regions.slice(1).map(option).join("")}<option value="box" hidden></option></select></label>
        <button type="button" data-draw="within" title="Drag a box over a map: inside it nothing but the sea is held">Draw</button></div>
      <p class="question"></p></div>
    <div class="block fading" hidden><p>${FADING}</p></div>
    <div class="block"><h3>What is it sensitive to?</h3>
      <div class="line"><label class="grow"><select id="of-variable" aria-label="Variable">${model.variables.map(option).join("")}</select></label></div>
      <div class="line"><label class="grow">Over <select id="over" aria-label="Region">${model.regions.map(option).join("")}<option value="box" hidden></option></select></label>
        <button type="button" data-draw="over" title="Drag a box over a map">Draw</button>
        <button type="button" id="sensitivity" title="Show what each part of the sea does to this mean">Show</button></div>
      <p class="clicking" hidden>Click a map to ask about that variable in a 20° × 20° box there.</p>
      <p class="sensitivity"></p></div>
    <div class="block gcm"><h3 id="gcm-title">Compare with the GCM</h3>
      <div class="line"><span class="segments" role="radiogroup" aria-labelledby="gcm-title">${model.experiments.map(([key, label]) =>
        `<button type="button" role="radio" data-gcm="${key}">${escape(label)}</button>`).join("")}</span></div>
      <p class="gcm-words"></p></div>
  </section>`
  const $ = (query) => el.querySelector(query)
  const all = (query) => [...el.querySelectorAll(query)]
  const set = (name, value) => wire.send({ type: "sea-set", name, value }, `set-${name}`)

  // -- the changes of the sea ---------------------------------------------------------------------
  const rows = []
  const text = (value) => `${value < 0 ? "\u2212" : value > 0 ? "+" : ""}${Math.abs(value).toFixed(1)}`
  const place = (value) => 100 * (value + most) / (2 * most)
  const paint = (row, value) => {
    row.range.value = value
    row.range.setAttribute("aria-valuetext", `${text(value)} kelvin`)
    if (!row.typing) row.number.value = text(value)
    const [a, b] = [place(0), place(value)]
    row.fill.style.left = `calc(7px + (100% - 14px) * ${Math.min(a, b) / 100})`
    row.fill.style.width = `calc((100% - 14px) * ${Math.abs(a - b) / 100})`
    row.fill.classList.toggle("cold", value < 0)
  }
  const make = (at) => {
    const item = document.createElement("li")
    item.innerHTML = `<input type="checkbox"><span class="what"></span>
      <span class="amount"><input class="num" inputmode="decimal" autocomplete="off" spellcheck="false">K</span>
      <button type="button" class="gone">×</button>
      <span class="track"><i class="fill"></i><input type="range" min="${-most}" max="${most}" step="${STEP}"></span>`
    /** @type {NodeListOf<HTMLInputElement>} */
    const [on, number, range] = item.querySelectorAll("input")
    const row = { item, on, where: item.querySelector(".what"), number,
      gone: item.querySelector(".gone"), range, fill: item.querySelector(".fill"),
      held: false, sent: false, typing: false }
    row.range.dataset.at = row.number.dataset.at = at
    const send = (kelvin, done) => {
      row.sent = true
      paint(row, kelvin)
      wire.send({ type: "sea-edit", at, kelvin, done }, `sea${at}`)
    }
    row.range.addEventListener("pointerdown", () => { row.held = true })
    row.range.addEventListener("input", () => send(Number(row.range.value), false))
    row.range.addEventListener("change", () => { row.held = false; send(Number(row.range.value), true) })
    row.range.addEventListener("dblclick", () => send(0, true))
    row.number.addEventListener("input", () => { row.typing = true })
    const take = () => {
      if (!row.typing) return
      row.typing = false
      const typed = row.number.value.trim().replace(",", ".").replace("\u2212", "-").replace(/\s*K$/i, "")
      const value = typed === "" ? NaN : Number(typed)
      if (Math.abs(value) <= most) { send(value, true); return }
      // The server returns the reason; the former value comes back.
      wire.send({ type: "sea-edit", at, kelvin: row.number.value, done: true }, `refused${at}`)
      paint(row, model.patches[at].kelvin)
    }
    row.number.addEventListener("blur", take)
    row.number.addEventListener("keydown", (e) => {
      if (e.key === "Enter") take()
      const way = { ArrowUp: 1, ArrowDown: -1 }[e.key]
      if (!way || e.altKey || e.ctrlKey || e.metaKey) return
      e.preventDefault()
      row.typing = false
      const value = Math.round((Number(row.range.value) + way * STEP) * 10) / 10
      send(Math.min(Math.max(value, -most), most), true)
    })
    row.on.addEventListener("change", () => wire.send({ type: "sea-edit", at, enabled: row.on.checked }, `on${at}`))
    row.gone.addEventListener("click", () => wire.send({ type: "sea-delete", at }))
    // A press anywhere in the row selects it; its controls do what they do.
    item.addEventListener("click", (e) => {
      if (e.target === item || e.target === row.where) wire.send({ type: "sea-select", at })
    })
    item.addEventListener("focusin", () => { if (!item.classList.contains("selected")) wire.send({ type: "sea-select", at }, "select") })
    $(".patches").append(item)
    return row
  }
  const patches = () => {
    while (rows.length < model.patches.length) rows.push(make(rows.length))
    while (rows.length > model.patches.length) rows.pop().item.remove()
    model.patches.forEach((patch, at) => {
      const row = rows[at]
      row.where.textContent = patch.where
      row.where.title = patch.where
      row.on.checked = patch.on
      row.item.classList.toggle("off", !patch.on)
      row.item.classList.toggle("selected", patch.selected)
      row.on.setAttribute("aria-label", `${patch.where} counts`)
      row.number.setAttribute("aria-label", `Kelvin, ${patch.where}`)
      row.range.setAttribute("aria-label", `Change of the sea, ${patch.where}`)
      row.gone.setAttribute("aria-label", `Delete ${patch.where}`)
      row.gone.title = "Delete"
      if (!row.held && !row.sent) paint(row, patch.kelvin)
    })
    $(".empty").hidden = model.patches.length > 0
    $("#clear").hidden = model.patches.length < 2
  }
  model.on("ack", () => {
    if (!wire.idle) return
    rows.forEach((row, at) => {
      if (row.sent && !row.held && model.patches[at]) { row.sent = false; paint(row, model.patches[at].kelvin) }
    })
  })
  $("#add").addEventListener("change", (e) => {
    const region = e.target.value
    e.target.value = ""
    if (region) wire.send({ type: "sea-add", region })
  })
  $("#clear").addEventListener("click", () => wire.send({ type: "sea-clear" }))

  // -- what is held, and what it is compared with -------------------------------------------------
  for (const radio of all("[name=held]")) radio.addEventListener("change", () => set("held", radio.value))
  for (const id of ["within", "over"]) $(`#${id}`).addEventListener("change", (e) => set(id, e.target.value))
  $("#of-variable").addEventListener("change", (e) => set("variable", e.target.value))
  $("#sensitivity").addEventListener("click", () => set("view", model.settings.view === "sensitivity" ? "response" : "sensitivity"))
  const runs = all("[data-gcm]")
  for (const b of runs) {
    b.addEventListener("click", () => {
      if (model.settings.view === "gcm" && model.settings.gcm === b.dataset.gcm) set("view", "response")
      else set("gcm", b.dataset.gcm)
    })
  }
  moveByArrows(runs, (other) => {
    if (model.settings.gcm !== other.dataset.gcm || model.settings.view !== "gcm") other.click()
  })
  const settings = () => {
    const s = model.settings
    for (const radio of all("[name=held]")) radio.checked = radio.value === s.held
    $(".question").textContent = model.helds.find(([key]) => key === s.held)?.[2] ?? ""
    $(".within").hidden = s.held !== "outside"
    for (const id of ["within", "over"]) {
      const drawn = $(`#${id} option[value=box]`)
      drawn.hidden = s[id] !== "box"
      drawn.textContent = s[`${id}_words`]
      $(`#${id}`).value = s[id]
    }
    $("#of-variable").value = s.variable
    $("#sensitivity").setAttribute("aria-pressed", String(s.view === "sensitivity"))
    $(".clicking").hidden = s.view !== "sensitivity"
    $(".fading").hidden = s.view !== "response" || !s.fade
    $(".gcm").hidden = !model.experiments.length
    for (const b of runs) {
      const on = s.view === "gcm" && s.gcm === b.dataset.gcm
      b.setAttribute("aria-checked", String(on))
      b.tabIndex = on || s.view !== "gcm" ? 0 : -1
    }
    // Beside the GCM the changes of the sea are those of its runs.
    $(".patches").inert = s.view === "gcm"
    draws()
  }

  // -- on the maps --------------------------------------------------------------------------------
  const modes = all("[data-draw]")
  // What a drag draws is held here and goes with each drawing: a drag may follow a click at once.
  let mode = ""
  const choose = (value) => {
    mode = value
    arm(value)
    draws()
    wire.send({ type: "sea-mode", value })
  }
  for (const b of modes) {
    b.dataset.plain = b.textContent
    b.addEventListener("click", () => choose(mode === b.dataset.draw ? "" : b.dataset.draw))
  }
  const clicked = () => ["sensitivity", "atlas"].includes(model.settings.view)
  const draws = () => {
    for (const b of modes) {
      const on = mode === b.dataset.draw
      b.setAttribute("aria-pressed", String(on))
      b.textContent = on ? DRAWING[b.dataset.draw] ?? "Drag …" : b.dataset.plain
    }
    root.toggleAttribute("data-drawing", Boolean(mode))
    root.toggleAttribute("data-draws", Boolean(mode) || clicked())
  }
  const off = pointing({
    active: () => root.dataset.tool === "perturb" && !mode && clicked(),
    mode: () => "place",
    place: (variable, x, y) => wire.send({ type: "sea-click", variable, x, y }),
    move: () => {}, toggle: () => {}, hover: () => {},
  })
  let count = 0
  const undraw = drawing({
    active: () => root.dataset.tool === "perturb",
    mode: () => mode,
    drawn: (by, variable, geometry) => {
      wire.send({ type: "sea-drawn", mode: by, variable, geometry }, `drawn${++count}`)
      // One is drawn; Bokeh's tool changes once it has ended its drag.
      mode = ""
      draws()
      setTimeout(rearm, 0)
    },
  })
  const keys = (e) => {
    if (root.dataset.tool !== "perturb") return
    const at = e.composedPath()[0]
    if (e.key === "Escape" && mode) choose("")
    const chosen = model.patches.findIndex((patch) => patch.selected)
    if (e.key !== "Delete" || chosen < 0 || at.matches?.("input:not([type=range]):not([type=checkbox]), select")) return
    wire.send({ type: "sea-delete", at: chosen })
  }
  document.addEventListener("keydown", keys)
  model.on("remove", () => { off(); undraw(); unwatch(); document.removeEventListener("keydown", keys) })

  const words = () => {
    const w = model.words
    $(".change").textContent = w.change ?? ""
    $(".beyond").textContent = w.beyond ?? ""
    $(".answered").textContent = w.outcome ?? ""
    $(".answered").classList.toggle("busy", model.busy)
    $("p.sensitivity").textContent = w.sensitivity ?? ""
    $(".gcm-words").textContent = model.settings.view === "gcm" ? w.gcm ?? "" : ""
    window.mldaUnderWay = { ...window.mldaUnderWay, response: model.busy ? 1 : 0 }
    underWay()
  }
  model.on("patches", patches)
  model.on("settings", () => { settings(); words() })
  const rearm = () => {
    if (root.dataset.tool === "perturb") { arm(mode); return }
    // Another tool ends it.
    mode = ""
    draws()
  }
  const unwatch = whenTool(rearm)
  for (const name of ["words", "busy"]) model.on(name, words)
  patches(); settings(); words(); rearm()
}
