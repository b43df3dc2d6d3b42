import { channel, underWay } from "./channel.js"
import { download, escape, moveByArrows } from "./dom.js"
import { arm, drawing, pointing, whenTool } from "./pointer.js"
import { tableKeys } from "./table.js"

const IDLE = { residual: "This method has no residual analysis", localisation: "This method has no localisation" }
const MODES = [["place", "Place", "Click a map to observe there, a marker to withhold or restore it (with Shift its whole station); drag a marker to move it"],
  ["ask", "Ask", "Click a marker to see why it changed much or nothing, any other place to see what is known there; in the table, Space selects a row"],
  ["box", "Box", "Drag a box over a map to select its observations"],
  ["lasso", "Lasso", "Draw round observations to select them"]]

export function render({ model, el }) {
  const wire = channel(model)
  const option = ([key, label]) => `<option value="${key}">${escape(label)}</option>`
  // Labels, titles and limits are those that the settings are declared with.
  const fields = model.fields
  const limits = (id) => `min="${fields[id].low}" max="${fields[id].high}" step="${fields[id].step}" title="${escape(fields[id].title)}"`
  const number = (id) => `<label class="part ${id}">${fields[id].label} <input type="number" data-set="${id}" ${limits(id)}></label>`
  const slider = (id) => `<label class="slide"><span>${fields[id].label}</span><input type="range" id="${id}" ${limits(id)}><output></output></label>`
  const box = (id, kind = "") => `<label class="tick${kind}" title="${escape(fields[id].title)}"><input type="checkbox" id="${id}">${fields[id].label}</label>`
  el.innerHTML = `<section class="tool" aria-label="Observe">
    <div class="line"><label class="grow">Network <select id="kind">${model.kinds.map(option).join("")}</select></label>
      ${number("year")}</div>
    <div class="line part amount"><input type="number" id="amount" min="${fields.count.low}" max="${fields.spacing.high}" aria-label="How many, or how far apart">
      <select id="by" aria-label="Given as"><option value="count">${fields.count.label}</option><option value="spacing">${fields.spacing.label}</option></select></div>
    <div class="line part variables"><span class="muted">Variables</span>${model.variables.map(([name, label, short]) =>
      `<label class="tick"><input type="checkbox" data-observed="${name}" title="${escape(label)}">${escape(short)}</label>`).join("")}</div>
    <div class="line"><label class="part domain">Where <select id="domain"><option value="globe">${model.whole}</option><option value="land">land</option>
        <option value="sea">sea</option></select></label>
      <span class="part region"><button type="button" id="draw" aria-pressed="false" title="Drag a box over a map: stations only within it">Draw region</button>
        <button type="button" id="whole" title="Everywhere again" aria-label="Everywhere again">×</button></span></div>
    <div class="block">
      <div class="line"><label class="grow">Method <select id="method">${model.methods.map(option).join("")}</select></label>
        ${box("residual")}</div>
      ${slider("error")}
      ${slider("localisation")}
      <div class="line seeds"><span class="muted">Seeds:</span>${number("seed")}${number("noise")}</div>
    </div>
    <div class="block">
      <div class="line run">${box("live", " live")}
        <button type="button" id="now">Assimilate</button><button type="button" id="step" title="Draw the minimisation step by step, from the background on">Step</button>
        <button type="button" id="pause">Pause</button><button type="button" id="once" title="One step further">+1</button>
        <button type="button" id="cancel">Cancel</button></div>
      <div class="graph"></div>
      <p class="cost"></p><p class="outcome" role="status" aria-live="polite"></p>
    </div>
    <div class="next"></div>
    <div class="block">
      <div class="line"><span class="segments" role="radiogroup" aria-label="What the pointer does on maps">${MODES.map(([key, label, title]) =>
        `<button type="button" role="radio" data-mode="${key}" title="${title}">${label}</button>`).join("")}</span>
        <label class="tick" title="Withhold, and select by box or lasso, all that a station observes"><input type="checkbox" id="station">whole station</label></div>
      <div class="line"><label class="grow" title="What a click on a map places: a value, a bound, or a report in words as diaries hold">Observe as <select id="as">${model.as_kinds.map(option).join("")}</select></label></div>
      <div class="card"></div>
      <p class="months" role="status"></p><p class="values"></p>
      <div class="line many"><span class="chosen"></span><button type="button" data-many="withhold">Withhold</button>
        <button type="button" data-many="restore">Restore</button><button type="button" data-many="delete">Delete</button>
        <button type="button" data-many="all" title="Select all observations">All</button></div>
      <form class="line put" aria-label="Place an observation by its coordinates"><select id="put" aria-label="Variable">${model.variables.map(([name, , short]) =>
        option([name, short])).join("")}</select>
        <label>lat <input id="lat" inputmode="decimal" autocomplete="off"></label><label>lon <input id="lon" inputmode="decimal" autocomplete="off"></label>
        <button type="submit">Place</button></form>
      <div class="line"><button type="button" id="trial" title="One observation, and the increment that it makes: by the model's method, and by ensemble OI beside it">Try one alone</button></div>
      <div class="line files"><button type="button" id="upload">Upload CSV</button><button type="button" id="download">Download CSV</button><p class="counts"></p>
        <input type="file" id="csv" accept=".csv,.txt,text/csv,text/plain" hidden aria-hidden="true" tabindex="-1"></div>
      <details class="rejected" hidden><summary></summary><ol></ol></details>
      <p class="hid"></p><p class="reading" aria-live="off"></p>
    </div>
  </section>`
  const $ = (query) => el.querySelector(query)
  const root = document.documentElement
  const focused = (node) => el.getRootNode().activeElement === node
  const set = (name, value, done = true) => wire.send({ type: "observing", name, value, done }, `set-${name}`)

  for (const id of ["kind", "domain", "method"]) $(`#${id}`).addEventListener("change", (e) => set(id, e.target.value))
  $("#amount").addEventListener("change", (e) => set($("#by").value, e.target.value === "" ? null : Number(e.target.value)))
  $("#by").addEventListener("change", (e) => set(e.target.value, e.target.value === "spacing" ? 2000 : 100))
  for (const id of ["year", "seed", "noise"]) {
    $(`[data-set=${id}]`).addEventListener("change", (e) => set(id, e.target.value === "" ? null : Number(e.target.value)))
  }
  for (const id of ["residual", "live"]) $(`#${id}`).addEventListener("change", (e) => set(id, e.target.checked))
  for (const id of ["error", "localisation"]) {
    $(`#${id}`).addEventListener("input", (e) => { told(id); set(id, Number(e.target.value), false) })
    $(`#${id}`).addEventListener("change", (e) => set(id, Number(e.target.value)))
  }
  // What was typed and sent stands until it is answered: then what is in force, also after a refusal.
  const asked = new Set()
  for (const field of el.querySelectorAll("#amount, [data-set]")) {
    field.addEventListener("input", () => asked.delete(field))
    field.addEventListener("change", () => asked.add(field))
  }
  model.on("ack", () => {
    if (!wire.idle) return
    // A box or list that was refused shows what is in force too.
    settings()
    asked.clear()
  })
  const ticks = [...el.querySelectorAll(".variables input")]
  for (const tick of ticks) {
    tick.addEventListener("change", () => set("variables", ticks.filter((t) => t.checked).map((t) => t.dataset.observed)))
  }
  const told = (id) => {
    const value = Number($(`#${id}`).value)
    $(`#${id}`).parentNode.querySelector("output").textContent = id === "error" ? `${value.toFixed(2)} × spread` : `× ${value.toFixed(2)}`
  }
  // What the pointer does on maps is held here and goes with each drawing: a drag may follow a click at once.
  let mode = "place"
  const mine = () => root.dataset.tool === "observe"
  const chooseMode = (value) => {
    mode = value
    arm(value)
    settings()
    wire.send({ type: "obs-mode", value })
  }
  const rearm = () => { if (mine()) arm(mode) ; else if (root.dataset.tool === "explore") arm("place") }
  const unwatch = whenTool(rearm)
  $("#draw").addEventListener("click", () => chooseMode(mode === "region" ? "place" : "region"))
  $("#station").addEventListener("change", (e) => wire.send({ type: "obs-station", value: e.target.checked }))
  $("#whole").addEventListener("click", () => set("region", null))
  for (const action of ["now", "step", "pause", "once", "cancel"]) {
    $(`#${action}`).addEventListener("click", () => wire.send({ type: "run", action }))
  }
  const modes = [...el.querySelectorAll("[data-mode]")]
  for (const b of modes) b.addEventListener("click", () => chooseMode(b.dataset.mode))
  moveByArrows(modes)
  for (const b of el.querySelectorAll("[data-many]")) {
    b.addEventListener("click", () => wire.send({ type: "obs-many", action: b.dataset.many }))
  }
  $(".put").addEventListener("submit", (e) => {
    e.preventDefault()
    const read = (id) => $(id).value.trim().replace(",", ".").replace("\u2212", "-")
    wire.send({ type: "obs-put", variable: $("#put").value, lat: read("#lat"), lon: read("#lon"), as: $("#as").value })
  })
  $("#upload").addEventListener("click", () => $("#csv").click())
  $("#csv").addEventListener("change", async (e) => {
    const [file] = e.target.files
    e.target.value = ""
    if (!file) return
    wire.send({ type: "obs-upload", name: file.name, text: await file.slice(0, 6000000).text() })
  })
  $("#trial").addEventListener("click", () => wire.send({ type: "trial" }))
  $("#download").addEventListener("click", () => wire.send({ type: "obs-download" }))

  // On the maps.
  let hovered = null, count = 0
  const off = pointing({
    active: mine,
    mode: () => mode,
    place: (variable, x, y) => wire.send({ type: mode === "ask" ? "obs-ask-place" : "obs-place", variable, x, y, as: $("#as").value }, `place${++count}`),
    move: (variable, row, x, y, done) => wire.send({ type: "obs-move", variable, row, x, y, done }, "obs-move"),
    toggle: (variable, row, e) => mode === "ask" ? wire.send({ type: "obs-ask", variable, row }, `ask${++count}`) : wire.send({ type: "obs-toggle", variable, row, whole: e.shiftKey }, `toggle${++count}`),
    hover: (row) => {
      if (row === hovered) return
      hovered = row
      wire.send({ type: "obs-hover", row })
    },
  })
  const undraw = drawing({
    active: mine,
    mode: () => mode,
    drawn: (by, variable, geometry) => {
      wire.send({ type: "obs-drawn", mode: by, variable, geometry }, `drawn${++count}`)
      if (by !== "region" && by !== "aim") return
      // One region is drawn; Bokeh's tool changes once it has ended its drag.
      mode = "place"
      settings()
      setTimeout(rearm, 0)
    },
  })
  const keys = (e) => {
    const at = e.composedPath()[0]
    if (e.key !== "Delete" || root.dataset.tool !== "observe" || !model.counts.chosen) return
    if (at instanceof HTMLInputElement || at instanceof HTMLSelectElement) return
    wire.send({ type: "obs-many", action: "delete" })
  }
  document.addEventListener("keydown", keys)
  const leave = tableKeys()
  model.on("remove", () => { off(); undraw(); leave(); unwatch(); document.removeEventListener("keydown", keys) })

  $(".graph").append(model.get_child("chart"))
  $(".next").append(model.get_child("next"))
  $(".card").append(model.get_child("card"))
  // From controls that are Panel's own, which do not hold the mode.
  const asksMode = (e) => chooseMode(e.detail)
  document.addEventListener("mlda:mode", asksMode)
  model.on("remove", () => document.removeEventListener("mlda:mode", asksMode))
  const cost = () => {
    const path = model.costs
    const last = path[path.length - 1]
    // The parts are rounded so that they add up.
    const tenths = (v) => Math.round(10 * v), whole = last ? tenths(last[2]) : 0, prior = last ? tenths(last[0]) : 0
    const shown = (n) => (n / 10).toFixed(1)
    $(".cost").innerHTML = last ? `cost <b>${shown(whole)}</b> = prior ${shown(prior)} + observations ${shown(whole - prior)}` : ""
  }
  const settings = () => {
    const free = (field) => !focused(field) || (asked.has(field) && wire.idle)
    const s = model.settings, has = [...(model.kinds.find(([key]) => key === s.kind)?.[2] ?? [])]
    const spaced = s.spacing > 0 || !has.includes("count")
    $("#kind").value = s.kind
    for (const name of ["year", "variables", "domain", "seed", "region"]) $(`.part.${name}`).hidden = !has.includes(name)
    $(".part.amount").hidden = !has.includes("spacing_km")
    $("#by").value = spaced ? "spacing" : "count"
    $("#by").querySelector("[value=count]").disabled = !has.includes("count")
    if (free($("#amount"))) $("#amount").value = spaced ? s.spacing || 500 : s.count
    for (const id of ["year", "seed", "noise"]) {
      const field = $(`[data-set=${id}]`)
      if (free(field)) field.value = s[id]
    }
    for (const id of ["error", "localisation"]) { if (!focused($(`#${id}`))) $(`#${id}`).value = s[id]; told(id) }
    for (const id of ["domain", "method"]) $(`#${id}`).value = s[id]
    for (const id of ["residual", "live"]) $(`#${id}`).checked = s[id]
    const used = model.methods.find(([key]) => key === s.method)?.[2] ?? Object.keys(IDLE)
    for (const [id, why] of Object.entries(IDLE)) {
      const field = $(`#${id}`), idle = !used.includes(id)
      field.dataset.title ??= field.title
      field.disabled = idle
      field.title = idle ? why : field.dataset.title
      field.closest("label").classList.toggle("idle", idle)
    }
    $("#station").checked = model.whole_station
    for (const tick of ticks) tick.checked = s.variables.includes(tick.dataset.observed)
    $("#whole").hidden = !s.region
    $("#draw").textContent = mode === "region" ? "Drag a box …" : s.region ? model.region_words : "Draw region"
    $("#draw").setAttribute("aria-pressed", String(mode === "region"))
    for (const b of modes) {
      const on = b.dataset.mode === mode
      b.setAttribute("aria-checked", String(on))
      b.tabIndex = on || mode === "region" ? 0 : -1
    }
    root.dataset.pointer = mode
  }
  const running = () => {
    const run = model.run
    $("#now").hidden = model.settings.live
    $("#pause").hidden = run !== "step" && run !== "paused"
    $("#pause").textContent = run === "paused" ? "Go on" : "Pause"
    $("#once").hidden = run !== "paused"
    $("#cancel").hidden = !run
    $("#step").hidden = run === "step" || run === "paused"
    $(".outcome").textContent = model.outcome
    $(".outcome").title = model.outcome_help
    // A step that waits for a person is no work under way.
    window.mldaUnderWay = { ...window.mldaUnderWay, analysis: run && run !== "paused" ? 1 : 0 }
    underWay()
  }
  const counts = () => {
    const c = model.counts
    $(".counts").textContent = c.words ?? ""
    $(".counts").title = c.hidden ?? ""
    $(".hid").textContent = c.hidden ?? ""
    $(".chosen").textContent = c.chosen ? `${c.chosen} selected` : "none selected"
    for (const b of el.querySelectorAll("[data-many]")) b.disabled = b.dataset.many === "all" ? !c.n : !c.chosen
  }
  const rejected = () => {
    const bad = model.rejected
    $(".rejected").hidden = !bad.length
    $(".rejected summary").textContent = model.rejected_words
    $(".rejected ol").innerHTML = bad.map(([row, why]) => `<li><b>row ${row}</b> ${escape(why)}</li>`).join("")
    $(".rejected").open = bad.length > 0
  }
  model.on("msg:custom", (event) => {
    const message = event.data ?? event
    if (message.type === "file") download(message.name, message.text, "text/csv")
  })
  const trial = () => {
    $("#trial").hidden = !model.trial
    $("#trial").textContent = model.trial || "Try one alone"
  }
  const origins = () => { $(".values").textContent = model.values; $(".months").textContent = model.months }
  for (const name of ["values", "months"]) model.on(name, origins)
  origins()
  model.on("trial", trial)
  trial()
  const readout = () => { $(".reading").textContent = model.reading }
  for (const name of ["settings", "region_words", "whole_station"]) model.on(name, () => { settings(); running() })
  for (const name of ["run", "outcome", "outcome_help"]) model.on(name, running)
  model.on("counts", counts); model.on("costs", cost); model.on("rejected", rejected); model.on("rejected_words", rejected); model.on("reading", readout)
  settings(); running(); counts(); cost(); rejected(); readout(); rearm()
}
