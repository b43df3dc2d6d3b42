import { calendar } from "./calendar.js"
import { film } from "./film.js"

// Milliseconds between two frames of the film.
const STEP = 450
const SPLIT = { t: "train", v: "validation", c: "calibration", T: "test", g: "gap" }

/**
 * Let the years, the months, the days of a bundle of days, and the film of them act. They show at once what the
 * server has yet to hear of.
 * @param {Model} model
 * @param {any} el - the element that holds the bar
 * @param {{ send(message: Message): void, idle: boolean }} wire
 */
export function timeline(model, el, wire) {
  const $ = (query) => el.querySelector(query)
  const year = $("#year"), day = $("#day"), buttons = [...el.querySelectorAll(".months button")]
  const times = calendar(model.splits, model.dates)
  const first = Number(times.years[0])
  // Years stand side by side, though a bundle may lack those between them.
  year.max = first + times.years.length - 1
  let shown = model.month

  const wordsOf = (label) => {
    const [y, m, d] = label.split("-").map(Number)
    return `${d ? `${d} ` : ""}${buttons[m - 1].dataset.name} ${y}`
  }
  const show = () => {
    const [y, m] = shown.split("-")
    year.value = first + times.years.indexOf(y)
    year.setAttribute("aria-valuetext", y)
    $("output.year").textContent = y
    $(".ticks u").style.left = `${100 * times.placeOf(shown)}%`
    for (const [k, b] of buttons.entries()) {
      const wanted = times.inMonth(shown, k + 1), found = times.nearest(wanted)
      const code = found?.slice(0, 7) === wanted.slice(0, 7) ? times.codeOf(found) : "-"
      b.disabled = $(`#month option[value="${k + 1}"]`).disabled = code === "-"
      b.setAttribute("aria-pressed", String(k + 1 === Number(m)))
      b.classList.toggle("test", code === "T")
      b.ariaLabel = b.title = `${b.dataset.name} ${y}` + (code === "-" ? "" : `, ${SPLIT[code]}`)
    }
    $("#month").value = Number(m)
    if (day) showDays()
    $(".month").textContent = wordsOf(shown)
    const split = SPLIT[times.codeOf(shown)]
    $(".split").textContent = model.split_words[split] ?? ""
    $(".split").dataset.split = split
  }
  const showDays = () => {
    const month = shown.slice(0, 7)
    if (day.dataset.month !== month) {
      day.dataset.month = month
      day.replaceChildren(...times.within(month).map((label) => new Option(String(Number(label.slice(8))), label)))
    }
    day.value = shown
  }
  const go = (wanted) => {
    const found = times.nearest(wanted)
    if (!found) return
    shown = found
    show()
    wire.send({ type: "month", value: found })
  }
  const step = (by) => go(times.after(shown, by))
  const choose = (month) => go(times.inMonth(shown, month))

  year.addEventListener("input", () => go(`${times.years[year.value - first]}${shown.slice(4)}`))
  for (const b of buttons) b.addEventListener("click", () => choose(b.dataset.month))
  $("#month").addEventListener("change", () => choose($("#month").value))
  day?.addEventListener("change", () => go(day.value))
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
