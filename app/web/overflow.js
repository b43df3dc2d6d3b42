import { listen } from "./dom.js"

/**
 * Put what has no room in the bar into its menu, what is used least first; before that words give way to icons.
 * @param {Model} model
 * @param {any} el - the element that holds the bar
 */
export function overflow(model, el) {
  const [line, menu, rest, more] = [".line", "#menu", ".rest", "#more"].map((query) => el.querySelector(query))
  const groups = [...line.querySelectorAll(".map, .history, .state, .look")]
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
    if (rest.hidden) menu.hidePopover()
  }
  menu.addEventListener("beforetoggle", (e) => more.setAttribute("aria-expanded", String(e.newState === "open")))
  menu.addEventListener("toggle", (e) => { if (e.newState === "open") menu.querySelector(":is(button, select):not(:disabled)").focus() })
  rest.addEventListener("keydown", (e) => {
    if (e.key !== "Escape" || !menu.matches(":popover-open")) return
    // Not the tools behind it as well.
    e.stopPropagation()
    menu.hidePopover()
    more.focus()
  })
  model.on("remove", listen(document, "focusin", (e) => { if (!e.composedPath().includes(rest)) menu.hidePopover() }))
  // With the tools folded their button has a word more; the bar shows it at the same event.
  model.on("remove", listen(document, "mlda:folded", () => queueMicrotask(fit)))
  let width = 0
  const fitter = new ResizeObserver(() => {
    if (line.clientWidth === width) return
    width = line.clientWidth
    fit()
  })
  fitter.observe(line)
  model.on("remove", () => fitter.disconnect())
}
