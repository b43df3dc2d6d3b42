import { channel } from "./channel.js"
import { moveByArrows } from "./dom.js"

// The tabs of the left column, and the line that says when the model no longer shows the analysis.
export function render({ model, el }) {
  const wire = channel(model)
  el.innerHTML = `<div class="tools">
    <div class="tabs" role="tablist" aria-label="Tools">${model.tools.map(([key, label]) =>
      `<button type="button" role="tab" data-tool="${key}">${label}</button>`).join("")}<button type="button" id="close" aria-label="Close the tools" title="Close the tools">×</button></div>
    <p class="paused" role="status" hidden><span></span><button type="button" id="resume">Resume</button></p>
  </div>`
  const $ = (query) => el.querySelector(query)
  const tabs = [...el.querySelectorAll("[data-tool]")]
  // Learn stands before the form of the state's tool, whose maps it goes on to show.
  const choose = (tool) => tool === "learn" ? wire.send({ type: "learn" }, "tool") : wire.send({ type: "tool", value: tool })
  for (const tab of tabs) tab.addEventListener("click", () => choose(tab.dataset.tool))
  moveByArrows(tabs)
  $("#resume").addEventListener("click", () => wire.send({ type: "resume" }))
  const show = () => {
    for (const tab of tabs) {
      const on = tab.dataset.tool === (model.learning ? "learn" : model.tool)
      tab.setAttribute("aria-selected", String(on))
      tab.tabIndex = on ? 0 : -1
    }
    document.documentElement.dataset.tool = model.tool
    document.documentElement.toggleAttribute("data-learn", model.learning)
    $(".paused").hidden = !model.paused
    $(".paused span").textContent = model.paused
    place()
  }
  // The column ends above the line, as high as its words make it.
  const place = () => document.documentElement.style.setProperty("--paused", `${$(".paused").offsetHeight}px`)
  const watcher = new ResizeObserver(place)
  watcher.observe($(".paused"))
  model.on("remove", () => watcher.disconnect())
  for (const name of ["tool", "learning", "paused"]) model.on(name, show)
  show()
}
