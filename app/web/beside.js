import { channel } from "./channel.js"

// Above the column beside the model: the truth, or another method's analysis.
export function render({ model, el }) {
  const wire = channel(model)
  el.innerHTML = `<div class="heading">
    <select id="beside" aria-label="What stands beside the model">${model.views.map(([key, label]) =>
      `<option value="${key}">${label}</option>`).join("")}</select>
    <b id="only">Target</b><small class="note" role="status"></small></div>`
  const $ = (query) => el.querySelector(query)
  $("#beside").addEventListener("change", (e) => wire.send({ type: "beside", value: e.target.value }))
  const show = () => {
    const alone = model.views.length < 2
    $("#beside").hidden = alone
    $("#only").hidden = !alone
    for (const [key, label] of model.views) {
      $(`#beside option[value=${key}]`).textContent = key !== "target" && key === model.beside ? `${label}: ${model.quantity}` : label
    }
    $("#beside").value = model.beside
    $(".note").textContent = $(".note").title = model.note
    $(".note").classList.toggle("still", model.stale)
    const target = model.beside === "target"
    // For a variable that is enlarged, whose maps stand without these headings.
    const title = $("#beside").selectedOptions[0]?.textContent ?? "Target"
    document.documentElement.style.setProperty("--beside-title", JSON.stringify(title))
    // Where the target comes from is said where the target is.
    document.getElementById("of-target")?.toggleAttribute("hidden", !target)
    for (const at of document.querySelectorAll(".against .other")) at.textContent = model.name_within
  }
  for (const name of ["beside", "name_within", "note", "stale", "quantity"]) model.on(name, show)
  show()
}
