// The page: sliders, observations, and the maps of target, model and their difference.
import { Climate } from "./climate.js"
import { fetched } from "./files.js"
import { Maps } from "./maps.js"
import { MOST_OBSERVATIONS, normal, random, read, written } from "./state.js"

/** @param {string} id @returns {any} */
const $ = (id) => document.getElementById(id)
const MINUS = "−", KEYS_APART_MS = 1500
/** @param {number} value @param {number} decimals */
const number = (value, decimals) => value.toFixed(decimals).replace("-", MINUS)
/** @param {string} words @param {boolean} [problem] */
function say(words, problem = false) {
  $("status").textContent = words
  $("status").classList.toggle("problem", problem)
}

const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" })
/** @type {any} */
let about
/** @type {Maps} */
let maps
/** @type {Record<string, any>} */
let decoder, months
/** @type {Map<number, Climate>} */
const climates = new Map()
/** @type {import("./state.js").State} */
let state
/** The last exact state, standardised, and the latent vector that it is of. @type {{ x: Float32Array, z: Float64Array } | null} */
let exact = null
/** @type {Float32Array} */
let target
/** @type {import("./state.js").State[]} */
const before = []
let asked = 0, busy = false, waiting = false, analysing = false
/** Of the state that was asked for. */
let askedMonth = 0
/** Whether the maps have what observations say beyond the latent vector. */
let beyond = false

const calendar = () => about.months.find((/** @type {any} */ m) => m.label === state.month).calendar
function climate() {
  const month = calendar()
  if (!climates.has(month)) climates.set(month, new Climate(about, decoder, month))
  return /** @type {Climate} */ (climates.get(month))
}
const copy = () => ({
  month: state.month, z: state.z.slice(), observations: state.observations.map((one) => ({ ...one })),
})

/** Keep what is, so that it can be undone. */
function keep() {
  before.push(copy())
  if (before.length > 100) before.shift()
  $("undo").disabled = false
}

// ---- what is shown

/** Draw a model's state: anomalies in display units. @param {Float32Array} model */
function show(model) {
  maps.write("model", model)
  maps.write("difference", model.map((v, p) => v - target[p]))
  const found = climate().scores(target, model)
  $("scores").tBodies[0].replaceChildren(...about.variables.map((/** @type {any} */ v, /** @type {number} */ i) => {
    const row = document.createElement("tr")
    const { rmse, explained } = found[i]
    const words = `${about.columns.model}: RMSE ${number(rmse, v.decimals + 1)} ${v.units}, explained ${number(explained, 2)}`
    Object.assign($(`says-model-${v.name}`), { textContent: words, title: `${v.label}: ${words}` })
    for (const text of [v.label, `${number(rmse, v.decimals + 1)} ${v.units}`, number(explained, 2)]) {
      row.append(Object.assign(document.createElement("td"), { textContent: text }))
    }
    return row
  }))
}

/** Ask for the exact state of the latent numbers; one at a time, always the newest. */
function decode() {
  if (busy) { waiting = true; return }
  busy = true
  waiting = false
  askedMonth = calendar()
  worker.postMessage({ id: ++asked, task: "decode", month: askedMonth, z: state.z })
}

/** Leave an analysis that is under way: what it was asked for has changed. */
function leaveAnalysis() {
  if (!analysing) return
  analysing = false
  // Whatever is asked next, the worker leaves it too.
  asked++
  $("assimilate").disabled = !state.observations.length
  say("The analysis was stopped: something changed.")
}

/** The linear part of each latent that was dragged, by calendar month and latent. @type {Map<string, Float32Array>} */
const slopes = new Map()
/** @param {Climate} own @param {number} k */
function slope(own, k) {
  const name = `${calendar()} ${k}`
  if (!slopes.has(name)) slopes.set(name, own.decoder.linear(state.z.map((_, l) => (l === k ? 1 : 0))))
  return /** @type {Float32Array} */ (slopes.get(name))
}

/** The state while a slider moves, until the exact one is there: the last one, and the linear part of the change. */
function preview() {
  if (!exact) return
  const own = climate(), moved = exact.x.slice()
  for (let k = 0; k < state.z.length; k++) {
    const by = state.z[k] - exact.z[k]
    if (by === 0) continue
    const rate = slope(own, k)
    for (let p = 0; p < moved.length; p++) moved[p] += by * rate[p]
  }
  show(own.anomalies(moved, own.parts.residualSd))
}

let frame = 0
/** @param {number} k @param {number} value */
function slide(k, value) {
  state.z[k] = value
  leaveAnalysis()
  if (beyond) say("The latent vector's state alone: what the observations said beyond it is left out.")
  beyond = false
  if (!frame) frame = requestAnimationFrame(() => { frame = 0; preview() })
  decode()
}

function showSliders() {
  for (const input of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll(".slider input"))) {
    const value = state.z[Number(input.dataset.k)]
    input.value = String(value)
    if (input.nextElementSibling) input.nextElementSibling.textContent = number(value, 2)
  }
}

/** Where a cell is. @param {number} cell */
function place(cell) {
  const { lat, lon, latitudes, longitudes } = about.shape, at = cell % (lat * lon)
  const north = latitudes[Math.floor(at / lon)], east = ((longitudes[at % lon] + 180) % 360) - 180
  return `${Math.abs(north).toFixed(0)}°${north < 0 ? "S" : "N"} ${Math.abs(east).toFixed(0)}°${east < 0 ? "W" : "E"}`
}

function showObservations() {
  const { observations } = state
  $("none").hidden = observations.length > 0
  $("observations").hidden = !observations.length
  $("clear").disabled = $("assimilate").disabled = !observations.length
  $("observations").tBodies[0].replaceChildren(...observations.map((one, i) => {
    const row = document.createElement("tr"), v = about.variables[one.variable]
    const where = place(one.cell), error = climate().parts.error[one.cell]
    const input = Object.assign(document.createElement("input"), {
      type: "number", step: "any", value: one.value.toFixed(v.decimals + 1), ariaLabel: `${v.label}, ${where}, ${v.units}`,
    })
    input.addEventListener("change", () => {
      const value = Number(input.value)
      if (input.value === "" || !Number.isFinite(value)) {
        input.value = one.value.toFixed(v.decimals + 1)
        say("An observation is a number; the one before is kept.", true)
        return
      }
      keep()
      state.observations[i].value = value
      leaveAnalysis()
      remember()
    })
    const out = Object.assign(document.createElement("button"), { textContent: "×", ariaLabel: `Remove ${v.label}, ${where}` })
    out.addEventListener("click", () => {
      keep()
      state.observations.splice(i, 1)
      changedObservations()
    })
    for (const part of [`${v.label}, ${where}`, input, `± ${error.toFixed(v.decimals + 1)} ${v.units}`, out]) {
      const cell = document.createElement("td")
      cell.append(part)
      row.append(cell)
    }
    return row
  }))
  maps.mark(observations)
}

function remember() { history.replaceState(null, "", written(state, about)) }

function changedObservations() {
  leaveAnalysis()
  showObservations()
  remember()
}

/** Show a whole state. */
function showAll() {
  $("month").value = state.month
  target = climate().anomalies(months[`${state.month}/x`], null)
  maps.write("target", target)
  showSliders()
  showObservations()
  exact = null
  leaveAnalysis()
  beyond = false
  decode()
  remember()
}

// ---- what people do

/** @param {number} cell @param {number} variable */
function observed(cell, variable) {
  const draw = random(cell + 1), { decimals } = about.variables[variable]
  const value = target[cell] + climate().parts.error[cell] * normal(draw)
  return { variable, cell, value: Number(value.toFixed(decimals + 1)) }
}

/** @param {string} name Of a map @param {number} at Cell of the grid */
function tapped(name, at) {
  if (!name.startsWith("target-")) return
  const variable = about.variables.findIndex((/** @type {any} */ v) => name === `target-${v.name}`)
  const cell = variable * about.shape.lat * about.shape.lon + at, { label } = about.variables[variable]
  if (!climate().parts.mask[cell]) { say(`${label} does not exist there; click elsewhere.`, true); return }
  const there = state.observations.findIndex((one) => one.cell === cell)
  if (there < 0 && state.observations.length >= MOST_OBSERVATIONS) {
    say(`A page takes ${MOST_OBSERVATIONS} observations; remove some first.`, true)
    return
  }
  keep()
  if (there >= 0) state.observations.splice(there, 1)
  else state.observations.push(observed(cell, variable))
  say(there >= 0 ? `Removed the observation of ${label} at ${place(cell)}.`
    : `${label} is observed at ${place(cell)}; press Assimilate.`)
  changedObservations()
}

function placeAtRandom() {
  const count = Number($("count").value), variable = Number($("variable").value)
  if (!Number.isInteger(count) || count < 1 || count > MOST_OBSERVATIONS) {
    say(`Give a number of stations from 1 to ${MOST_OBSERVATIONS}.`, true)
    return
  }
  const { lat, lon } = about.shape, { mask } = climate().parts, { area, label } = about.variables[variable]
  const draw = random(1234), most = Math.max(...area)
  const others = state.observations.filter((one) => one.variable !== variable), found = new Set()
  const room = Math.min(count, MOST_OBSERVATIONS - others.length)
  if (!room) { say(`A page takes ${MOST_OBSERVATIONS} observations; remove some first.`, true); return }
  for (let tries = 0; found.size < room && tries < 200_000; tries++) {
    const i = Math.floor(draw() * lat), cell = (variable * lat + i) * lon + Math.floor(draw() * lon)
    // As many to an area everywhere.
    if (draw() * most < area[i] && mask[cell]) found.add(cell)
  }
  keep()
  state.observations = [...others, ...[...found].map((cell) => observed(cell, variable))]
  say(`${found.size} stations observe ${label}; press Assimilate.`)
  changedObservations()
}

function assimilate() {
  const own = climate()
  keep()
  analysing = true
  // A state that still waits to be decoded would end the analysis.
  waiting = false
  $("assimilate").disabled = true
  say("Assimilating…")
  worker.postMessage({
    id: ++asked, task: "analyse", month: calendar(),
    observations: state.observations.map(({ cell, value }) => ({
      cell, value: own.standardised(value, cell), sd: own.parts.errorStandardised[cell],
    })),
  })
}

/** @param {() => void} change */
function change(change) {
  keep()
  change()
  showAll()
}

function undo() {
  const last = before.pop()
  if (!last) return
  const same = last.month === state.month && last.z.every((v, k) => v === state.z[k])
  const lost = beyond
  state = last
  $("undo").disabled = !before.length
  // What is shown stays where only observations change: of an analysis the state is not kept.
  if (same && !analysing) changedObservations()
  else showAll()
  say(lost && !same ? "Undone: the latent vector's state alone, without what observations said beyond it." : "Undone.")
}

// ---- answers

const started = performance.now()
let loaded = 0
/** @param {number} bytes */
function tell(bytes) {
  loaded += bytes
  const all = ["decoder", "months", "pixels"].reduce((sum, name) => sum + about.files[name].size, 0)
  $("progress").value = Math.min(1, loaded / all)
}

worker.addEventListener("message", ({ data }) => {
  if (data.problem) {
    busy = false
    analysing = false
    $("assimilate").disabled = !state?.observations.length
    say(data.problem, true)
    return
  }
  if (data.task === "decode") {
    busy = false
    // The hand may be further by now, or the month another.
    exact = askedMonth === calendar() ? { x: data.x, z: data.z } : null
    if (waiting) {
      preview()
      decode()
      return
    }
    show(data.anomalies)
    remember()
    document.documentElement.dataset.decoded = String(data.id)
  } else if (data.task === "analyse" && analysing && data.id === asked) {
    state.z = data.z
    showSliders()
    const count = state.observations.length
    say(data.done ? `Analysis of ${count} observation${count === 1 ? "" : "s"}: ${data.converged ? "converged in" : "stopped after"} `
      + `${data.step} step${data.step === 1 ? "" : "s"}. The maps have the latent vector's state and what the observations say beyond it.`
      : `Assimilating: step ${data.step}, cost ${data.cost.toFixed(1)}`)
    if (data.done) {
      analysing = false
      beyond = true
      $("assimilate").disabled = false
      show(data.anomalies)
      exact = null
      remember()
      document.documentElement.dataset.analysed = String(data.id)
    }
  }
})
worker.addEventListener("error", () => say("A part of this page cannot be read; load it again.", true))

/** @param {HTMLElement} parent @param {number} from @param {number} to */
function makeSliders(parent, from, to) {
  for (let k = from; k < to; k++) {
    const line = Object.assign(document.createElement("label"), { className: "slider" })
    const input = Object.assign(document.createElement("input"), { type: "range", min: -4, max: 4, step: 0.05, value: 0 })
    input.dataset.k = String(k)
    line.append(Object.assign(document.createElement("span"), { textContent: `z${k + 1}` }), input,
      Object.assign(document.createElement("span"), { className: "value", textContent: "0.00" }))
    input.addEventListener("pointerdown", keep)
    // Keys that follow one another are one step of undo.
    let pressed = Number.NEGATIVE_INFINITY
    input.addEventListener("keydown", ({ key, timeStamp }) => {
      if (!/^(Arrow|Page|Home|End)/.test(key)) return
      if (timeStamp - pressed > KEYS_APART_MS) keep()
      pressed = timeStamp
    })
    input.addEventListener("input", () => {
      if (input.nextElementSibling) input.nextElementSibling.textContent = number(Number(input.value), 2)
      slide(k, Number(input.value))
    })
    parent.append(line)
  }
}

function fill() {
  document.title = $("title").textContent = `Data assimilation in a latent space: ${about.title}`
  for (const { label, split } of about.months) $("month").append(new Option(`${label}${split === "test" ? "" : `, ${split}`}`, label))
  about.variables.forEach((/** @type {any} */ v, /** @type {number} */ i) => $("variable").append(new Option(v.label, String(i))))
  makeSliders($("sliders"), 0, about.leading)
  makeSliders($("more"), about.leading, about.shape.latents)
  for (const v of about.variables) {
    for (const [column, title] of Object.entries(about.columns)) {
      const panel = Object.assign(document.createElement("figure"), { className: column })
      const caption = Object.assign(document.createElement("figcaption"), { id: `says-${column}-${v.name}`, textContent: `${title}: ${v.label}` })
      panel.append(caption, Object.assign(document.createElement("div"), { id: `map-${column}-${v.name}` }))
      $("maps").append(panel)
    }
  }
  $("about").textContent = `${about.title} (${about.source}; ${about.licence}). Anomalies are from the climatology of `
    + `${about.base_period}; target months were never trained on unless the list says so. Left out, and in the full `
    + "dashboard: the sea as a field that is known (here it is observed like the other variables), other methods and "
    + `priors, ensembles, perturbations, scores over many months. Made with ${about.made_with}.`
  $("month").addEventListener("change", () => change(() => {
    state.month = $("month").value
    state.observations = []
  }))
  $("mean").addEventListener("click", () => change(() => { state.z = new Float64Array(about.shape.latents) }))
  $("code").addEventListener("click", () => change(() => { state.z = Float64Array.from(months[`${state.month}/z`]) }))
  $("clear").addEventListener("click", () => { keep(); state.observations = []; changedObservations() })
  $("undo").addEventListener("click", undo)
  $("place").addEventListener("click", placeAtRandom)
  $("assimilate").addEventListener("click", assimilate)
  addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLInputElement && event.target.type === "number"
    if ((event.ctrlKey || event.metaKey) && event.key === "z" && !typing) { event.preventDefault(); undo() }
  })
}

async function open() {
  const [said, drawn] = await Promise.all(["site.json", "maps.json"].map(async (name) => {
    const answer = await fetch(name)
    if (!answer.ok) throw new Error(`${name} cannot be read; copy the whole folder to the host again.`)
    return answer.json()
  }))
  about = said
  const ready = new Promise((resolve, reject) => {
    worker.addEventListener("message", ({ data }) => {
      if (data.ready) resolve(null)
      else if (data.task === "open" && data.problem) reject(new Error(data.problem))
    })
  })
  worker.postMessage({ id: 0, task: "open", about })
  fill()
  const [parts, past, look] = await Promise.all([about.files.decoder, about.files.months, about.files.pixels]
    .map((entry) => fetched(entry, tell)))
  decoder = parts
  months = past
  maps = new Maps(about, look.cell, about.files.pixels.arrays.cell.shape[1], look.middle)
  document.querySelector("main")?.removeAttribute("hidden")
  await maps.open(/** @type {any} */ (window).Bokeh, drawn, tapped)
  const found = read(location.hash, about, decoder.mask)
  state = found.state
  await ready
  showAll()
  document.querySelector("nav")?.removeAttribute("inert")
  addEventListener("hashchange", () => {
    const { state: linked, problem } = read(location.hash, about, decoder.mask)
    change(() => { state = linked })
    say(problem || "Opened the link.", Boolean(problem))
  })
  $("progress").hidden = true
  say(found.problem || "Drag a latent number, or click on a target map to observe it.", Boolean(found.problem))
  document.documentElement.dataset.opened = String(Math.round(performance.now() - started))
}

say("Loading…")
open().catch((error) => say(error.message, true))
