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
  const years = Object.keys(model.splits).sort(), first = Number(years[0])
  const two = (number) => String(number).padStart(2, "0")
  /** The letter of a label's split; "-" where the bundle lacks it. */
  const codes = new Map(years.flatMap((y) => [...model.splits[y]].map((code, k) => [`${y}-${model.dates[k]}`, code])))
  const labels = [...codes.keys()].filter((label) => codes.get(label) !== "-")
  let shown = model.month

  /** The label of the day, or the month, at the same place in another month. */
  const inMonth = (month, label = shown) => `${label.slice(0, 5)}${two(month)}${label.slice(7)}`
  const wordsOf = (label) => {
    const [y, m, d] = label.split("-").map(Number)
    return `${d ? `${d} ` : ""}${buttons[m - 1].dataset.name} ${y}`
  }
  /** What there is nearest to a label: itself, else of its month the nearest, else the first of its year. */
  const nearest = (wanted) => {
    if (labels.includes(wanted)) return wanted
    const away = (label) => Math.abs(Number(label.slice(8)) - Number(wanted.slice(8)))
    const [found] = labels.filter((label) => label.startsWith(wanted.slice(0, 7))).sort((a, b) => away(a) - away(b))
    return found ?? labels.find((label) => label.startsWith(wanted.slice(0, 4)))
  }

  const show = () => {
    const [y, m] = shown.split("-")
    const at = years.indexOf(y)
    // Years are where they are in the list: between those of a bundle there may be others.
    year.value = first + at
    year.setAttribute("aria-valuetext", y)
    $("output.year").textContent = y
    const past = (model.dates.indexOf(shown.slice(5)) + 0.5) / model.dates.length
    $(".ticks u").style.left = `${(100 * (at + past)) / years.length}%`
    for (const [k, b] of buttons.entries()) {
      const there = nearest(inMonth(k + 1))
      const code = there?.startsWith(`${y}-${two(k + 1)}`) ? codes.get(there) : "-"
      b.disabled = $(`#month option[value="${k + 1}"]`).disabled = code === "-"
      b.setAttribute("aria-pressed", String(k + 1 === Number(m)))
      b.classList.toggle("test", code === "T")
      b.ariaLabel = b.title = `${b.dataset.name} ${y}` + (code === "-" ? "" : `, ${SPLIT[code]}`)
    }
    $("#month").value = Number(m)
    if (day) showDays()
    $(".month").textContent = wordsOf(shown)
    const split = SPLIT[codes.get(shown)]
    $(".split").textContent = model.split_words[split] ?? ""
    $(".split").dataset.split = split
  }
  const showDays = () => {
    const month = shown.slice(0, 7)
    if (day.dataset.month !== month) {
      day.dataset.month = month
      day.replaceChildren(...labels.filter((label) => label.startsWith(month)).map((label) =>
        new Option(String(Number(label.slice(8))), label)))
    }
    day.value = shown
  }
  const go = (wanted) => {
    const found = nearest(wanted)
    if (!found) return
    shown = found
    show()
    wire.send({ type: "month", value: found })
  }
  const step = (by) => go(labels[(labels.indexOf(shown) + by + labels.length) % labels.length])
  const choose = (month) => go(inMonth(month))

  year.addEventListener("input", () => go(`${years[year.value - first]}${shown.slice(4)}`))
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
