// What the headings of the columns say elsewhere on the page: as text of its elements, by their selectors, and to
// its style sheet, by the names of variables.
export function render({ model }) {
  const root = document.documentElement
  const show = () => {
    for (const [place, words] of Object.entries(model.words)) {
      if (place.startsWith("--")) root.style.setProperty(place, JSON.stringify(words))
      else for (const at of document.querySelectorAll(place)) at.textContent = words
    }
    for (const name of ["hint", "hint-perturb"]) root.toggleAttribute(`data-${name}`, Boolean(model.words[`--${name}`]))
    // Where the target comes from is said where the target is.
    document.getElementById("of-target")?.toggleAttribute("hidden", !model.target)
  }
  model.on("words", show)
  model.on("target", show)
  show()
}
