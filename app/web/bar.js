import { channel, whenReady } from "./channel.js"
import { download, escape, moveByArrows } from "./dom.js"

const ICONS = {
  fold: '<path d="M3 4h14v12H3zM8 4v12"/>',
  prev: '<path d="M12 5l-5 5 5 5"/>',
  next: '<path d="M8 5l5 5-5 5"/>',
  play: '<path d="M7 5l8 5-8 5z" fill="currentColor"/>',
  stop: '<path d="M6 6h8v8H6z" fill="currentColor"/>',
  undo: '<path d="M7 5L3.5 8.5 7 12M4 8.5h8a4 4 0 010 8H9"/>',
  redo: '<path d="M13 5l3.5 3.5L13 12M16 8.5H8a4 4 0 000 8h3"/>',
  share: '<path d="M8.5 11.5l3-3M7 9.5l-2 2a2.5 2.5 0 003.5 3.5l2-2M13 10.5l2-2A2.5 2.5 0 0011.5 5l-2 2"/>',
  save: '<path d="M10 3.5v9M6.5 9.5L10 13l3.5-3.5M4 16.5h12"/>',
  load: '<path d="M10 13V4M6.5 7.5L10 4l3.5 3.5M4 16.5h12"/>',
  theme: '<circle cx="10" cy="10" r="6"/><path d="M10 4a6 6 0 010 12z" fill="currentColor"/>',
  choose: '<path d="M6 8l4 4 4-4"/>',
  home: '<path d="M4 8V4h4M16 8V4h-4M4 12v4h4M16 12v4h-4"/>',
  again: '<path d="M5 4v4h4M5.4 7.6A6 6 0 1 1 4 11"/>',
  more: '<path d="M4 10h.01M10 10h.01M16 10h.01" stroke-width="2.6"/>',
}
const NAMES = ["January", "February", "March", "April", "May", "June", "July", "August",
  "September", "October", "November", "December"]
const SPLIT = { t: "train", v: "validation", c: "calibration", T: "test", g: "gap" }

const icon = (name) => `<svg viewBox="0 0 20 20" aria-hidden="true">${ICONS[name]}</svg>`

export function render({ model, el }) {
  const wire = channel(model)
  const root = document.documentElement
  const years = Object.keys(model.splits).map(Number).sort((a, b) => a - b)
  const months = []
  for (const year of years) {
    for (let m = 0; m < 12; m++) {
      if (model.splits[year][m] !== "-") months.push(`${year}-${String(m + 1).padStart(2, "0")}`)
    }
  }
  const splitOf = (month) => SPLIT[model.splits[month.slice(0, 4)]?.[Number(month.slice(5)) - 1]]

  const button = (id, label, text = "") =>
    `<button type="button" id="${id}" class="${text ? "" : "icon"}" aria-label="${label}" title="${label}">` +
    `${icon(id)}${text ? `<span class="wide">${text}</span>` : ""}</button>`

  el.innerHTML = `<div class="top">
  <div class="line" role="toolbar" aria-label="Month, map and state">
    ${button("fold", "Show or hide the tools", "Tools")}
    <span class="brand" title="${escape(model.about)}. Choose another here."><b class="long">${escape(model.bundle)}</b><b class="short">${escape(model.name_short)}</b>${icon("choose")}
      <select id="bundle" aria-label="Bundle: the model and its months">${model.bundles.map(([key, title, words]) =>
        `<option value="${escape(key)}">${escape(title)}: ${escape(words)}</option>`).join("")}</select></span>
    <span class="group time" role="group" aria-label="Month">
      ${button("prev", "Previous month")}${button("play", "Play month after month")}${button("next", "Next month")}
      <span class="timeline" title="${escape(model.curve_words)}; test months underlined">
        <svg class="curve" preserveAspectRatio="none" aria-hidden="true"></svg>
        <span class="ticks" aria-hidden="true"></span>
        <input type="range" id="year" min="${years[0]}" max="${years[years.length - 1]}" step="1" aria-label="Year">
      </span>
      <output class="year" for="year"></output>
      <span class="months">${NAMES.map((name, m) =>
        `<button type="button" data-month="${m + 1}">${name[0]}</button>`).join("")}</span>
      <select id="month" aria-label="Month">${NAMES.map((name, m) => `<option value="${m + 1}">${name.slice(0, 3)}</option>`).join("")}</select>
    </span>
    <span class="group map" role="group" aria-label="Map">
      <select id="projection" aria-label="Projection">${model.projections.map(([key, label]) =>
        `<option value="${key}">${escape(label)}</option>`).join("")}</select>
      ${button("home", "Show the whole map again")}
      <span class="segments" role="radiogroup" aria-label="What the maps show">
        <button type="button" role="radio" data-fields="anomalies">Anomalies</button>
        <button type="button" role="radio" data-fields="full">Full fields</button>
      </span>
    </span>
    <span class="group history" role="group" aria-label="History">${button("undo", "Undo")}${button("redo", "Redo")}${button("again", "Start again")}</span>
    <span class="group state" role="group" aria-label="State">
      ${button("share", "Copy a link to this state", "Share")}
      ${button("save", "Save this state to a file", "Save")}
      ${button("load", "Load a state from a file", "Load")}
      <input type="file" id="file" accept=".json,application/json" hidden aria-hidden="true" tabindex="-1">
    </span>
    <span class="look">${button("theme", "Light or dark")}</span>
    <span class="rest">${button("more", "More")}<span id="menu" role="group" aria-label="More" hidden></span></span>
  </div>
  <div class="strip">
    <span class="when"><b class="month"></b> <span class="split"></span></span>
    <span class="nino"></span>
    <span class="base"></span>
    <span class="space"></span>
    <span class="status" role="status" aria-live="polite"></span>
  </div></div>`

  const $ = (query) => el.querySelector(query)
  const year = $("#year")

  // The years as they were: more than usual (El Nino) red above the line, less (La Nina) blue below it.
  const drawCurve = () => {
    const values = model.curve
    if (!values.length) return
    const top = Math.max(...values.map(Math.abs), 0.1), n = values.length
    const path = (sign) => "M0,16" + values.map((v, i) => {
      const x = ((i + 0.5) / n) * 100, y = 16 - (sign * Math.max(0, sign * (v ?? 0)) / top) * 14
      return `L${x.toFixed(2)},${y.toFixed(2)}`
    }).join("") + "L100,16Z"
    $(".curve").setAttribute("viewBox", "0 0 100 32")
    $(".curve").innerHTML = `<path class="warm" d="${path(1)}"/><path class="cold" d="${path(-1)}"/>`
  }
  const n = years.length
  $(".ticks").innerHTML = years.map((y, i) => model.splits[y].includes("T")
    ? `<i style="left:${(100 * i) / n}%;width:${100 / n}%" title="${y}: test"></i>` : "").join("") + "<u></u>"

  const go = (month) => {
    if (!months.includes(month)) {
      // A year that lacks this month: the nearest one that it has.
      const same = months.filter((m) => m.slice(0, 4) === month.slice(0, 4))
      if (!same.length) return
      month = same[0]
    }
    shown = month
    showMonth()
    wire.send({ type: "month", value: month })
  }
  const step = (by) => {
    const i = months.indexOf(shown)
    go(months[(i + by + months.length) % months.length])
  }

  let shown = model.month
  const showMonth = () => {
    const [y, m] = [Number(shown.slice(0, 4)), Number(shown.slice(5))]
    year.value = y
    year.setAttribute("aria-valuetext", `${y}`)
    $("output.year").textContent = y
    $(".ticks u").style.left = `${(100 * (y - years[0] + (m - 0.5) / 12)) / n}%`
    for (const b of el.querySelectorAll(".months button")) {
      const month = Number(b.dataset.month), code = model.splits[y]?.[month - 1] ?? "-"
      b.disabled = code === "-"
      b.setAttribute("aria-pressed", String(month === m))
      b.classList.toggle("test", code === "T")
      const label = `${NAMES[month - 1]} ${y}` + (code === "-" ? "" : `, ${SPLIT[code]}`)
      b.setAttribute("aria-label", label)
      b.title = label
      $(`#month option[value="${month}"]`).disabled = b.disabled
    }
    $("#month").value = m
    $(".month").textContent = `${NAMES[m - 1]} ${y}`
    const split = splitOf(shown)
    $(".split").textContent = model.split_words[split] ?? ""
    $(".split").dataset.split = split
  }
  const showSettings = () => {
    $("#projection").value = model.projection
    for (const b of el.querySelectorAll("[data-fields]")) {
      const on = b.dataset.fields === model.fields
      b.setAttribute("aria-checked", String(on))
      b.tabIndex = on ? 0 : -1
    }
    $("#undo").disabled = !model.can_undo
    $("#redo").disabled = !model.can_redo
    root.dataset.theme = model.theme
  }
  const say = (text, failed) => {
    $(".status").textContent = text
    $(".status").title = text
    $(".status").classList.toggle("failed", failed)
  }
  const showStatus = () => {
    say(model.status, model.failed)
    $(".nino").innerHTML = model.nino
    // In full fields only the scores are of anomalies.
    $(".base").textContent = model.fields === "full" ? model.base.replace(/^Anomalies/, "Scores of anomalies") : model.base
  }

  year.addEventListener("input", () => go(`${year.value}-${shown.slice(5)}`))
  for (const b of el.querySelectorAll(".months button")) {
    b.addEventListener("click", () => go(`${shown.slice(0, 4)}-${b.dataset.month.padStart(2, "0")}`))
  }
  $("#month").addEventListener("change", (e) => go(`${shown.slice(0, 4)}-${e.target.value.padStart(2, "0")}`))
  $("#prev").addEventListener("click", () => step(-1))
  $("#next").addEventListener("click", () => step(1))

  let playing = null
  const play = (on) => {
    if (playing) clearInterval(playing)
    playing = on ? setInterval(() => { if (wire.idle && !model.pending) step(1) }, 450) : null
    $("#play").innerHTML = icon(on ? "stop" : "play")
    $("#play").setAttribute("aria-label", on ? "Stop playing" : "Play month after month")
    $("#play").title = $("#play").getAttribute("aria-label")
    $("#play").setAttribute("aria-pressed", String(on))
  }
  $("#play").addEventListener("click", () => play(!playing))
  model.on("remove", () => play(false))

  $("#projection").addEventListener("change", (e) => wire.send({ type: "projection", value: e.target.value }))
  for (const b of el.querySelectorAll("[data-fields]")) {
    b.addEventListener("click", () => wire.send({ type: "fields", value: b.dataset.fields }))
  }
  moveByArrows([...el.querySelectorAll("[data-fields]")])
  $("#home").addEventListener("click", () => wire.send({ type: "home" }))
  $("#again").addEventListener("click", () => wire.send({ type: "start-again" }))
  $("#undo").addEventListener("click", () => wire.send({ type: "undo" }))
  $("#redo").addEventListener("click", () => wire.send({ type: "redo" }))
  $("#theme").addEventListener("click", () =>
    // From what is shown: at first that may be the browser's own, which the server has yet to hear of.
    wire.send({ type: "theme", value: root.dataset.theme === "dark" ? "light" : "dark" }))
  $("#share").addEventListener("click", () => wire.send({ type: "share" }))
  $("#save").addEventListener("click", () => wire.send({ type: "save" }))
  $("#load").addEventListener("click", () => $("#file").click())
  $("#file").addEventListener("change", async (e) => {
    const [file] = e.target.files
    e.target.value = ""
    if (!file) return
    // A state with many observations is 2 MB: of a larger file the start is enough to say what it is.
    text = await file.slice(0, 5100000).text()
    wire.send({ type: "load", text })
  })
  let text = ""
  // A state that was saved with this bundle, opened on the page of another.
  const brought = sessionStorage.getItem("mlda-file")
  if (brought !== null) {
    sessionStorage.removeItem("mlda-file")
    whenReady(model, () => wire.send({ type: "load", text: brought }))
  }
  // The bundle shown stays chosen until the other's page is there.
  const bundle = $("#bundle")
  bundle.value = model.bundle_key
  bundle.addEventListener("change", () => {
    wire.send({ type: "bundle", value: bundle.value })
    bundle.value = model.bundle_key
  })
  model.on("msg:custom", async (event) => {
    const message = event.data ?? event
    if (message.type === "file") {
      download(message.name, message.text, "application/json")
    } else if (message.type === "go") {
      try {
        if (message.file) sessionStorage.setItem("mlda-file", text)
      } catch {
        say("The file is too large to be taken along: choose its bundle, then load it again.", true)
        return
      }
      location.assign(`${location.pathname}?${message.query}`)
    } else if (message.type === "link") {
      const url = `${location.origin}${location.pathname}?${message.query}`
      let copied = true
      try { await navigator.clipboard.writeText(url) } catch { copied = false }
      say(copied ? "The link is copied." : "The address bar holds the link: copy it there.", false)
    }
  })

  // The address bar: each gesture is a step for the browser's back button, a film is one.
  const publish = () => {
    const now = location.search.replace(/^\?/, "")
    if (model.query === now) return
    const url = `${location.pathname}?${model.query}`
    if (playing) history.replaceState({}, "", url)
    else history.pushState({}, "", url)
  }
  const back = () => wire.send({ type: "visit", query: location.search })
  window.addEventListener("popstate", back)
  model.on("query", publish)
  model.on("remove", () => window.removeEventListener("popstate", back))

  const showFold = () => {
    const closed = root.classList.contains("folded")
    $("#fold").setAttribute("aria-expanded", String(!closed))
    $("#fold").classList.toggle("closed", closed)
  }
  document.addEventListener("mlda:folded", showFold)
  model.on("remove", () => document.removeEventListener("mlda:folded", showFold))

  // What has no room goes into the menu, what is used least first; before that words give way to icons.
  const line = $(".line"), menu = $("#menu"), rest = $(".rest")
  const groups = [...line.querySelectorAll(".map, .history, .state, .look")]
  const openMenu = (on) => {
    menu.hidden = !on
    $("#more").setAttribute("aria-expanded", String(on))
  }
  const fit = () => {
    for (const group of groups) line.insertBefore(group, rest)
    rest.hidden = true
    line.classList.remove("tight")
    // On narrow windows the months have a line of their own: what is on a third one is too much.
    const full = () => line.scrollWidth > line.clientWidth ||
      [...line.children].some((c) => !c.matches(".time") && c.offsetTop > line.firstElementChild.offsetTop + 20)
    if (full()) line.classList.add("tight")
    for (const name of ["look", "state", "map", "history"]) {
      if (!full()) break
      rest.hidden = false
      menu.prepend(line.querySelector(`.${name}`))
    }
    if (rest.hidden) openMenu(false)
  }
  $("#more").addEventListener("click", () => {
    openMenu(menu.hidden)
    if (!menu.hidden) menu.querySelector(":is(button, select):not(:disabled)").focus()
  })
  rest.addEventListener("keydown", (e) => {
    if (e.key !== "Escape" || menu.hidden) return
    e.stopPropagation()
    openMenu(false)
    $("#more").focus()
  })
  const outside = (e) => { if (!e.composedPath().includes(rest)) openMenu(false) }
  document.addEventListener("pointerdown", outside)
  document.addEventListener("focusin", outside)
  let width = 0
  const fitter = new ResizeObserver(() => {
    if (line.clientWidth === width) return
    width = line.clientWidth
    fit()
  })
  fitter.observe(line)
  model.on("remove", () => {
    fitter.disconnect()
    document.removeEventListener("pointerdown", outside)
    document.removeEventListener("focusin", outside)
  })

  const keys = (e) => {
    if (!(e.ctrlKey || e.metaKey) || e.altKey || e.key.toLowerCase() !== "z") return
    const path = e.composedPath()
    if (path[0] instanceof HTMLInputElement && path[0].type !== "range") return
    e.preventDefault()
    wire.send({ type: e.shiftKey ? "redo" : "undo" })
  }
  document.addEventListener("keydown", keys)
  model.on("remove", () => document.removeEventListener("keydown", keys))

  model.on("month", () => { if (wire.idle || playing === null) { shown = model.month; showMonth() } })
  for (const name of ["projection", "fields", "can_undo", "can_redo", "theme"]) model.on(name, showSettings)
  for (const name of ["status", "failed", "nino", "base", "fields"]) model.on(name, showStatus)
  // What the bar shows at once is taken back if the message was lost.
  let lost = false
  const onLost = () => {
    lost = true
    play(false)
    shown = model.month
    showMonth()
    say("The server does not answer; reload the page, or start the server again.", true)
  }
  const onAck = () => { if (lost) { lost = false; showStatus() } }
  document.addEventListener("mlda:lost", onLost)
  document.addEventListener("mlda:ack", onAck)
  model.on("remove", () => {
    document.removeEventListener("mlda:lost", onLost)
    document.removeEventListener("mlda:ack", onAck)
  })
  model.on("curve", drawCurve)
  drawCurve(); showMonth(); showSettings(); showStatus(); showFold()
  // The server draws the figures, and has no access to the preference of the visitor's system.
  const preferred = window.pageLayout?.preferred() ?? model.theme
  if (preferred !== model.theme) {
    root.dataset.theme = preferred
    // What was chosen by then counts.
    whenReady(model, () => wire.send({ type: "theme", value: window.pageLayout?.preferred() ?? preferred, preferred: true }))
  }
}
