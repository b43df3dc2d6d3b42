import { film } from "./film.js"

// Milliseconds between two months of the film.
const STEP = 450
const SPLIT = { t: "train", v: "validation", c: "calibration", T: "test", g: "gap" }

/**
 * Let the years, the months and the film of them act. They show at once what the server has yet to hear of.
 * @param {Model} model
 * @param {any} el - the element that holds the bar
 * @param {{ send(message: Message): void, idle: boolean }} wire
 */
export function timeline(model, el, wire) {
  const $ = (query) => el.querySelector(query)
  const year = $("#year"), buttons = [...el.querySelectorAll(".months button")]
  const years = Object.keys(model.splits).sort()
  const name = (y, m) => `${y}-${String(m).padStart(2, "0")}`
  const months = years.flatMap((y) => [...model.splits[y]].flatMap((code, m) => code === "-" ? [] : [name(y, m + 1)]))
  let shown = model.month

  const show = () => {
    const [y, m] = shown.split("-").map(Number)
    year.value = y
    year.setAttribute("aria-valuetext", `${y}`)
    $("output.year").textContent = y
    $(".ticks u").style.left = `${(100 * (y - Number(years[0]) + (m - 0.5) / 12)) / years.length}%`
    for (const [k, b] of buttons.entries()) {
      const code = model.splits[y]?.[k] ?? "-"
      b.disabled = $(`#month option[value="${k + 1}"]`).disabled = code === "-"
      b.setAttribute("aria-pressed", String(k + 1 === m))
      b.classList.toggle("test", code === "T")
      b.ariaLabel = b.title = `${b.dataset.name} ${y}` + (code === "-" ? "" : `, ${SPLIT[code]}`)
    }
    $("#month").value = m
    $(".month").textContent = `${buttons[m - 1].dataset.name} ${y}`
    const split = SPLIT[model.splits[y]?.[m - 1]]
    $(".split").textContent = model.split_words[split] ?? ""
    $(".split").dataset.split = split
  }
  const go = (month) => {
    // A year that lacks this month: the nearest one that it has.
    const found = months.includes(month) ? month : months.find((other) => other.slice(0, 4) === month.slice(0, 4))
    if (!found) return
    shown = found
    show()
    wire.send({ type: "month", value: found })
  }
  const step = (by) => go(months[(months.indexOf(shown) + by + months.length) % months.length])
  const choose = (month) => go(name(shown.slice(0, 4), month))

  year.addEventListener("input", () => go(`${year.value}-${shown.slice(5)}`))
  for (const b of buttons) b.addEventListener("click", () => choose(b.dataset.month))
  $("#month").addEventListener("change", () => choose($("#month").value))
  $("#prev").addEventListener("click", () => step(-1))
  $("#next").addEventListener("click", () => step(1))
  const button = $("#play"), still = button.title
  const playing = film(model, button, STEP, () => { if (wire.idle && !model.pending) step(1) }, (on) => {
    button.ariaLabel = button.title = on ? "Stop playing" : still
  })
  model.on("month", () => {
    if (!wire.idle && playing.on) return
    shown = model.month
    show()
  })
  show()
  return {
    /** Whether the film runs. */
    get plays() { return playing.on },
    /** Show what the server has, where it has not heard of what is shown. */
    takeBack() {
      playing.play(false)
      shown = model.month
      show()
    },
  }
}
