import { address } from "./address.js"
import { channel, serverListens } from "./channel.js"
import { comeBack } from "./come_back.js"
import { continuation } from "./continue.js"
import { listen, moveByArrows } from "./dom.js"
import { downloadMenu } from "./download_menu.js"
import { overflow } from "./overflow.js"
import { presentation } from "./present.js"
import { sharing } from "./share.js"
import { timeline } from "./timeline.js"

// The bar at the top and the line of words below it; their HTML is in bar.html.
export function render({ model, el }) {
  const wire = channel(model)
  const root = document.documentElement
  const markup = /** @type {HTMLTemplateElement} */ (document.querySelector("template#bar"))
  el.replaceChildren(markup.content.cloneNode(true))
  const $ = (query) => el.querySelector(query)
  const fields = [...el.querySelectorAll("[data-fields]")]

  const showSettings = () => {
    $("#projection").value = model.projection
    for (const b of fields) {
      const on = b.dataset.fields === model.fields
      b.setAttribute("aria-checked", String(on))
      b.tabIndex = on ? 0 : -1
    }
    $("#undo").disabled = !model.can_undo
    $("#redo").disabled = !model.can_redo
    root.dataset.theme = model.theme
  }
  const say = (text, failed) => {
    $(".status").textContent = $(".status").title = text
    $(".status").classList.toggle("failed", failed)
  }
  const showStatus = () => {
    say(model.status, model.failed)
    $(".nino").innerHTML = model.nino
    // In full fields only the scores are of anomalies.
    $(".base").textContent = model.fields === "full" ? model.base.replace(/^Anomalies/, "Scores of anomalies") : model.base
  }
  const showFold = () => {
    const closed = root.classList.contains("folded")
    $("#fold").setAttribute("aria-expanded", String(!closed))
    $("#fold").classList.toggle("closed", closed)
  }

  const month = timeline(model, el, wire)
  address(model, el, wire, { say, passing: () => month.plays })
  continuation(model)
  overflow(model, el)
  downloadMenu(model, el, wire)
  presentation(model, el, wire)
  sharing(model, el, wire)
  for (const b of el.querySelectorAll("[data-send]")) b.addEventListener("click", () => wire.send({ type: b.dataset.send }))
  $("#projection").addEventListener("change", () => wire.send({ type: "projection", value: $("#projection").value }))
  for (const b of fields) b.addEventListener("click", () => wire.send({ type: "fields", value: b.dataset.fields }))
  moveByArrows(fields)
  $("#theme").addEventListener("click", () =>
    // From what is shown: at first that may be the browser's own, which the server has yet to hear of.
    wire.send({ type: "theme", value: root.dataset.theme === "dark" ? "light" : "dark" }))
  // The bundle shown stays chosen until the other's page is there.
  const bundle = $("#bundle"), own = bundle.value
  bundle.addEventListener("change", () => {
    wire.send({ type: "bundle", value: bundle.value })
    bundle.value = own
  })
  const keys = (e) => {
    if (!(e.ctrlKey || e.metaKey) || e.altKey || e.key.toLowerCase() !== "z") return
    const [at] = e.composedPath()
    if (at instanceof HTMLInputElement && at.type !== "range") return
    e.preventDefault()
    wire.send({ type: e.shiftKey ? "redo" : "undo" })
  }

  model.on("query", () => document.dispatchEvent(new CustomEvent("mlda:query", { detail: model.query })))
  for (const name of ["projection", "fields", "can_undo", "can_redo", "theme"]) model.on(name, showSettings)
  for (const name of ["status", "failed", "nino", "base", "fields"]) model.on(name, showStatus)
  // What the bar shows at once is taken back if the message was lost.
  let lost = false
  const onLost = () => {
    month.takeBack()
    if (connection.gone) return
    lost = true
    say("No answer yet: the server is busy, or the network is down. What you asked for comes when they are back.", true)
  }
  const onAck = () => { if (lost) { lost = false; showStatus() } }
  for (const [name, act] of Object.entries({ keydown: keys, "mlda:folded": showFold, "mlda:lost": onLost, "mlda:ack": onAck, "mlda:try": (e) => wire.send({ type: "try", value: e.detail }) })) {
    model.on("remove", listen(document, name, act))
  }
  showSettings(); showStatus(); showFold()
  const connection = comeBack((text, failed) => {
    if (failed) month.takeBack()
    say(text, failed)
  })
  // The server draws the figures, and has no access to the preference of the visitor's system.
  const preferred = window.pageLayout?.preferred() ?? model.theme
  if (preferred !== model.theme) {
    root.dataset.theme = preferred
    wire.send({ type: "theme", value: preferred, preferred: true })
  }
  if (model.ready) serverListens()
  else model.on("ready", serverListens)
}
