import { listen } from "./dom.js"

// The keyboard in the table of observations. Tabulator makes every editable cell a stop of Tab, five a row and a
// thousand in all, and Tab in a cell goes to the next: there was no way past it. Here one row has stops; the arrows
// up and down go to the others.
const CELLS = { lat: "Latitude", lon: "Longitude", value: "Value", error: "Error", withheld: "Withheld" }
// It comes with the form, once the maps are drawn.
const TABLE = ".bk-panel-models-tabulator-DataTabulator"

export function tableKeys() {
  let current = null, at = 0, root = null, box = null, held = null, waiting = null, ends = []
  const numberOf = (row) => Number(row.querySelector("[tabulator-field=_index]")?.textContent)
  const rove = () => {
    // Some browsers say nothing of a field that goes with its row.
    if (held && !held.isConnected) hold(null)
    const rows = [...root.querySelectorAll(".tabulator-table > .tabulator-row")]
    // After an edit its row is another node: the one of the same number.
    const open = rows.includes(current) ? current : rows.find((row) => numberOf(row) === at) ?? rows[0]
    for (const row of rows) {
      const stop = row === open ? "0" : "-1"
      for (const cell of row.querySelectorAll(".tabulator-cell[tabindex]")) {
        if (cell.getAttribute("tabindex") !== stop) cell.setAttribute("tabindex", stop)
      }
    }
    mend()
  }
  // Tabulator's attributes of a tick and of the frame that scrolls are not those of a grid.
  const mend = () => {
    for (const cell of root.querySelectorAll("[role=gridcell][aria-checked]")) {
      cell.setAttribute("aria-label", cell.getAttribute("aria-checked") === "true" ? "withheld" : "assimilated")
      cell.removeAttribute("aria-checked")
    }
    root.querySelector(".tabulator-tableholder[tabindex]")?.removeAttribute("tabindex")
  }
  // Rows are made when they come into sight.
  const watcher = new MutationObserver(rove)
  const find = () => {
    box = [...document.querySelectorAll(".listing *")].find((node) => node.shadowRoot?.querySelector(TABLE))
    root = box?.shadowRoot.querySelector(TABLE).shadowRoot
    if (!root) { waiting = setTimeout(find, 300); return }
    watcher.observe(root, { childList: true, subtree: true })
    // Here, for what goes from cell to cell is not heard outside; and before Tabulator hears of a key.
    ends = [
      listen(root, "focusin", focused, true),
      listen(root, "focusout", () => hold(null), true),
      listen(root, "keydown", keys, true),
    ]
    rove()
  }
  // Tabulator draws itself anew when its size changes, and what was being typed is gone: a click on a cell selects its
  // row too, and the card of that observation takes 140 pixels of the table. Until the edit ends the table keeps its
  // size, and what is left of its place scrolls.
  const place = new ResizeObserver(() => held?.scrollIntoView({ block: "nearest" }))
  const hold = (field) => {
    held = field
    // To the fraction of a pixel, or it is another size already.
    box.style.height = field ? `${box.getBoundingClientRect().height}px` : ""
    const listing = box.closest(".listing")
    listing.classList.toggle("held", Boolean(field))
    if (field) place.observe(listing)
    else place.disconnect()
  }
  const cellOf = (e) => e.target.closest?.(".tabulator-cell")
  const focused = (e) => {
    const cell = cellOf(e)
    if (!cell) return
    const row = cell.closest(".tabulator-row")
    at = numberOf(row)
    const name = CELLS[cell.getAttribute("tabulator-field")]
    const field = e.target
    if (name && field instanceof HTMLInputElement) {
      field.setAttribute("aria-label", `${name} of observation ${at + 1}`)
      if (field.type !== "checkbox") hold(field)
    }
    if (row !== current) { current = row; rove() }
  }
  const keys = (e) => {
    const cell = cellOf(e)
    if (!cell) return
    // The browser's own way from here, in which only this row's cells are stops.
    if (e.key === "Tab") { e.stopPropagation(); return }
    // No number has a space: it selects the row, as a click on its variable does.
    if (e.key === " " && e.target instanceof HTMLInputElement && e.target.type !== "checkbox") {
      e.preventDefault()
      e.stopPropagation()
      cell.closest(".tabulator-row").querySelector("[tabulator-field=variable]").click()
      return
    }
    const way = { ArrowUp: "previousElementSibling", ArrowDown: "nextElementSibling" }[e.key]
    if (!way) return
    e.preventDefault()
    e.stopPropagation()
    const other = cell.closest(".tabulator-row")[way]
      ?.querySelector(`.tabulator-cell[tabulator-field="${cell.getAttribute("tabulator-field")}"]`)
    if (!other) return
    other.scrollIntoView({ block: "nearest" })
    other.focus()
  }
  find()
  return () => {
    clearTimeout(waiting)
    watcher.disconnect()
    place.disconnect()
    for (const end of ends) end()
  }
}
