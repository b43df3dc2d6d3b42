import { listen } from "./dom.js"

/**
 * Let the menu of what can be downloaded send its choices: a figure of what is enlarged or all, files, tables.
 * @param {Model} model
 * @param {any} el - the element that holds the bar
 * @param {{ send(message: Message): void }} wire
 */
export function downloadMenu(model, el, wire) {
  const [opener, menu, tables] = ["#download", "#downloads", "#tables"].map((query) => el.querySelector(query))
  const enlarged = () => /** @type {HTMLElement | null} */ (document.querySelector("main .row.large"))?.dataset.variable ?? ""
  const choose = (message) => {
    menu.hidePopover()
    const outer = opener.closest("[popover]")
    outer?.hidePopover()
    ;(outer ? el.querySelector("#more") : opener).focus()
    wire.send(message)
  }
  menu.addEventListener("click", (e) => {
    const { figure, film, table, file, stop } = e.target.closest("button")?.dataset ?? {}
    if (figure) choose({ type: "download-figure", value: figure, variable: enlarged() })
    else if (film) choose({ type: "download-film", value: Number(film), variable: enlarged() })
    else if (stop !== undefined) choose({ type: "download-stop" })
    else if (table) choose({ type: "download-table", value: table })
    else if (file) choose({ type: "download-fields" })
  })
  const showTables = () => {
    const made = model.tables.map(([key, label]) => {
      const button = document.createElement("button")
      button.type = "button"
      button.dataset.table = key
      button.textContent = label
      return button
    })
    tables.querySelector("span").replaceChildren(...made)
    tables.hidden = !made.length
  }
  const showMaking = () => {
    for (const b of menu.querySelectorAll("[data-figure], [data-film], [data-file]")) b.disabled = model.making !== ""
    menu.querySelector("#making").hidden = model.making === ""
    opener.setAttribute("aria-busy", String(model.making !== ""))
  }
  menu.addEventListener("beforetoggle", (e) => opener.setAttribute("aria-expanded", String(e.newState === "open")))
  menu.addEventListener("toggle", (e) => {
    if (e.newState !== "open") return
    const one = enlarged() !== ""
    menu.querySelector(".rows").textContent = one ? "of the enlarged variable" : "of all variables"
    menu.querySelector("button:not(:disabled)")?.focus()
  })
  menu.addEventListener("keydown", (e) => {
    if (e.key !== "Escape") return
    // Not the menu or the tools behind it as well.
    e.stopPropagation()
    menu.hidePopover()
    opener.focus()
  })
  model.on("remove", listen(document, "focusin", (e) => {
    if (!e.composedPath().some((node) => node === menu || node === opener)) menu.hidePopover()
  }))
  model.on("tables", showTables)
  model.on("making", showMaking)
  showTables(); showMaking()
}
