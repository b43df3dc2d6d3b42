import { channel } from "./channel.js"

// Milliseconds between two members: long enough to see where they differ.
const FLIP = 700

// Above the model's column: what it shows.
export function render({ model, el }) {
  const wire = channel(model)
  el.innerHTML = `<div class="heading">
    <select id="column" aria-label="What the model column shows">${model.columns.map(([key, label]) =>
      `<option value="${key}">${label}</option>`).join("")}</select>
    <label class="scale" title="Divide this column's colour range, and the length of its arrows' key, by so much: for what is small"><span>Amplify</span> <select id="scale" aria-label="Amplify">${model.scales.map((n) =>
      `<option value="${n}">× ${n}</option>`).join("")}</select></label>
    <label class="tick" id="vector" hidden><input type="checkbox" id="arrows" title="Draw the wind as arrows over the other maps">arrows</label>
    <label class="hatch" hidden>hatched <span class="long">above</span><span class="short">&gt;</span> <input id="hatch" type="number" min="5" max="100" step="5" title="Hatched where the spread exceeds this part of the climatological one">%</label>
    <select id="event" aria-label="Probability of what" hidden>${model.events.map(([key, label]) =>
      `<option value="${key}">${label}</option>`).join("")}</select>
    <input id="threshold" type="number" step="0.5" hidden aria-label="Value, an anomaly in each map's units" title="An anomaly, in each map's units">
    <span class="members" hidden><button type="button" id="flip" aria-pressed="false" title="Flip through the members, equally likely states given the observations" aria-label="Flip through the members">▶</button><input type="range" id="member" min="1" max="${model.members}" step="1" aria-label="Member"><output for="member"></output></span>
    <small class="note"></small></div>`
  const $ = (query) => el.querySelector(query)
  $("#column").addEventListener("change", (e) => wire.send({ type: "column", value: e.target.value }))
  // What was typed stands until it is answered: then what is in force, also after a refusal.
  let asked = false
  $("#hatch").addEventListener("input", () => { asked = false })
  $("#hatch").addEventListener("change", (e) => {
    asked = true
    wire.send({ type: "hatch", value: e.target.value === "" ? null : Number(e.target.value) / 100 })
  })
  model.on("ack", () => {
    if (!asked || !wire.idle) return
    asked = false
    $("#hatch").value = Math.round(100 * model.hatch)
  })
  $("#event").addEventListener("change", (e) => wire.send({ type: "event", value: e.target.value }))
  $("#threshold").addEventListener("change", (e) => wire.send({ type: "threshold", value: e.target.value === "" ? null : Number(e.target.value) }))
  const chooseMember = (value) => wire.send({ type: "member", value })
  $("#member").addEventListener("input", (e) => chooseMember(Number(e.target.value)))
  let flipping = null
  const flip = (on) => {
    clearInterval(flipping)
    flipping = on ? setInterval(() => { if (wire.idle && model.shows_member) chooseMember(model.member % model.members + 1) }, FLIP) : null
    $("#flip").textContent = on ? "■" : "▶"
    $("#flip").setAttribute("aria-pressed", String(on))
  }
  $("#flip").addEventListener("click", () => flip(flipping === null))
  model.on("remove", () => flip(false))
  $("#scale").addEventListener("change", (e) => wire.send({ type: "scale", value: Number(e.target.value) }))
  $("#arrows").addEventListener("change", (e) => wire.send({ type: "arrows", value: e.target.checked }))
  const show = () => {
    // Beside another method both columns say whose they are, and of what.
    for (const [key, label] of model.columns) {
      const option = $(`#column option[value=${key}]`)
      if (key === "difference") option.textContent = `${model.analysis ? "Analysis" : "Model"} \u2212 ${model.against}`
      else if (key !== "model") option.textContent = model.who ? `${model.who}: ${label.toLowerCase()}` : label
    }
    $("#scale").value = model.scale
    $("#arrows").checked = model.arrows
    $("#vector").hidden = !model.vector
    $("#column").value = model.column
    $("#column option").textContent = model.who && model.analysis ? `${model.who}: analysis` : model.model_label
    const title = $("#column").selectedOptions[0]?.textContent ?? "Model"
    $("#column").title = title
    document.documentElement.style.setProperty("--column-title", JSON.stringify(title))
    $(".hatch").hidden = model.column !== "spread"
    // These have ends of their own, which are not amplified.
    $(".scale").hidden = ["probability", "next"].includes(model.column)
    $("#event").hidden = model.column !== "probability"
    $("#event").value = model.event
    $("#threshold").hidden = model.column !== "probability" || !["over", "under"].includes(model.event)
    if (el.getRootNode().activeElement !== $("#threshold")) $("#threshold").value = model.threshold
    const members = model.column === "member"
    $(".members").hidden = !members
    if (!members && flipping !== null) flip(false)
    $("#member").value = model.member
    $(".members output").textContent = `${model.member} of ${model.members}`
    if (el.getRootNode().activeElement !== $("#hatch")) $("#hatch").value = Math.round(100 * model.hatch)
    // Over the maps themselves, where there is room for it.
    document.documentElement.toggleAttribute("data-hint", Boolean(model.hint))
    document.documentElement.style.setProperty("--hint", JSON.stringify(model.hint))
    // The scatter is of the model against the target whatever stands in the column.
    for (const at of document.querySelectorAll(".against .model")) {
      at.textContent = model.shows_member ? "Member" : model.analysis ? "Analysis" : "Model"
    }
    $(".note").textContent = model.note
    $(".note").title = model.note
    $(".note").classList.toggle("still", model.stale)
  }
  for (const name of ["column", "hatch", "member", "shows_member", "event", "threshold", "note", "stale", "hint", "model_label", "analysis", "against", "who", "scale", "arrows", "vector"]) model.on(name, show)
  show()
}
