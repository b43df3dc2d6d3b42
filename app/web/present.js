import { listen } from "./dom.js"

/**
 * Show maps alone and large, and lead back; page.html has the buttons, present.css the sizes.
 * @param {Model} model
 * @param {any} el - the element that holds the bar
 * @param {{ send(message: Message): void }} wire
 */
export function presentation(model, el, wire) {
  const root = document.documentElement
  const start = el.querySelector("#present")
  const buttons = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("#presenting button")])
  const show = () => {
    const was = root.dataset.present
    if (model.present) root.dataset.present = model.present
    else delete root.dataset.present
    for (const b of buttons) b.setAttribute("aria-pressed", String(b.dataset.presents === model.present))
    // Those who use the keyboard go on from where they are.
    if (was && !model.present && start.checkVisibility()) start.focus()
    if (!was && model.present) buttons.find((b) => b.dataset.presents === model.present)?.focus()
  }
  const present = (value) => wire.send({ type: "present", value })
  start.addEventListener("click", () => present("maps"))
  for (const b of buttons) {
    const end = listen(b, "click", () => present(b.dataset.presents))
    model.on("remove", end)
  }
  // The first Escape ends what is enlarged.
  const leave = (e) => {
    if (e.key === "Escape" && model.present && !document.querySelector("#maps[data-large], dialog[open]")) present("")
  }
  model.on("remove", listen(document, "keydown", leave, true))
  model.on("present", show)
  show()
}
