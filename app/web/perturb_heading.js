import { channel } from "./channel.js"

// Above the columns while the tool Perturb is chosen: what the second shows, and the titles of all.
export function render({ model, el }) {
  const wire = channel(model)
  el.innerHTML = `<div class="heading">
    <select id="view" aria-label="What the columns show">${model.views.map(([key, label]) =>
      `<option value="${key}">${label}</option>`).join("")}</select>
    <label class="of-response tick"><input type="checkbox" id="per-kelvin" title="Divide by the mean change of the sea">per kelvin</label>
    <label class="of-response tick"><input type="checkbox" id="fade" title="Fade what is smaller than one posterior standard deviation of a single month">fade</label>
    <small class="note" role="status"></small></div>`
  const $ = (query) => el.querySelector(query)
  const set = (name, value) => wire.send({ type: "sea-set", name, value }, `set-${name}`)
  $("#view").addEventListener("change", (e) => set("view", e.target.value))
  $("#per-kelvin").addEventListener("change", (e) => set("per_kelvin", e.target.checked))
  $("#fade").addEventListener("change", (e) => set("fade", e.target.checked))
  const put = (id, text) => { const at = document.getElementById(id); if (at) at.textContent = text }
  const show = () => {
    $("#view").value = model.view
    $("#per-kelvin").checked = model.per_kelvin
    $("#fade").checked = model.fade
    for (const part of el.querySelectorAll(".of-response")) part.hidden = model.view !== "response"
    $(".note").textContent = model.note
    $(".note").title = model.note
    $(".note").classList.toggle("still", model.stale)
    const [first, long, short] = model.titles
    const second = model.views.find(([key]) => key === model.view)?.[1] ?? ""
    for (const [name, title] of [["first", first], ["second", second]]) {
      document.documentElement.style.setProperty(`--${name}-title`, JSON.stringify(title))
    }
    put("first-title", first); put("against-title", long); put("against-short", short)
  }
  for (const name of ["view", "per_kelvin", "fade", "titles", "note", "stale"]) model.on(name, show)
  show()
}
