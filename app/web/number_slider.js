// A slider and the number beside it, which are one value: dragged, stepped by the arrow keys, or typed.

/**
 * Read a number as people type it; NaN where it is none.
 * @param {string} typed
 * @returns {number}
 */
export const parse = (typed) => {
  const plain = typed.trim().replace(",", ".").replace("\u2212", "-")
  return plain === "" ? NaN : Number(plain)
}

/**
 * Return where on a slider from -reach to reach a value lies, in per cent.
 * @param {number} value
 * @param {number} reach
 * @returns {number}
 */
export const place = (value, reach) => 100 * (Math.min(Math.max(value, -reach), reach) + reach) / (2 * reach)

/**
 * Let both inputs of an element set one value.
 * @param {HTMLElement} item - holds an input of text, `.fill`, and a slider from -reach to reach
 * @param {object} how
 * @param {number} how.reach - the slider's end
 * @param {number} how.limit - the largest value that can be typed
 * @param {number} how.step - of the arrow keys in the number
 * @param {(value: number) => string} how.text
 * @param {(typed: string) => number} [how.read] - the number in a text
 * @param {() => number} how.value - what is in force
 * @param {(value: number, done: boolean) => void} how.send
 * @param {(typed: string) => void} how.refuse - sends what is no such number: the server returns the reason
 */
export function numberSlider(item, { reach, limit, step, text, read = parse, value, send, refuse }) {
  /** @type {HTMLInputElement} */
  const number = item.querySelector("input.num")
  /** @type {HTMLInputElement} */
  const range = item.querySelector("input[type=range]")
  /** @type {HTMLElement} */
  const fill = item.querySelector(".fill")
  let held = false, sent = false, typing = false
  const paint = (v) => {
    range.value = v
    if (!typing) number.value = text(v)
    const [a, b] = [place(0, reach), place(v, reach)]
    fill.style.left = `calc(7px + (100% - 14px) * ${Math.min(a, b) / 100})`
    fill.style.width = `calc((100% - 14px) * ${Math.abs(a - b) / 100})`
    fill.classList.toggle("cold", v < 0)
  }
  const give = (v, done) => {
    sent = true
    paint(v)
    send(v, done)
  }
  range.addEventListener("pointerdown", () => { held = true })
  range.addEventListener("input", () => give(Number(range.value), false))
  range.addEventListener("change", () => { held = false; give(Number(range.value), true) })
  range.addEventListener("dblclick", () => give(0, true))
  // A field of text, not of numbers: Chromium's drops a decimal comma, so that 1,5 became 15.
  number.addEventListener("input", () => { typing = true })
  const take = () => {
    if (!typing) return
    typing = false
    const v = read(number.value)
    if (Math.abs(v) <= limit) { give(v, true); return }
    // The former value comes back.
    refuse(number.value)
    paint(value())
  }
  number.addEventListener("blur", take)
  number.addEventListener("keydown", (e) => {
    if (e.key === "Enter") take()
    const way = { ArrowUp: 1, ArrowDown: -1 }[e.key]
    if (!way || e.altKey || e.ctrlKey || e.metaKey) return
    e.preventDefault()
    const v = read(number.value)
    if (Number.isNaN(v) || Math.abs(v) > limit) { take(); return }
    typing = false
    give(Math.min(Math.max(Math.round((v + way * step) * 1e4) / 1e4, -limit), limit), true)
  })
  paint(value())
  return {
    /** Show what is in force, unless the hand is on it or an answer is awaited. */
    show() { if (!held && !sent) paint(value()) },
    /** All is answered: what is in force is shown. */
    answered() { if (sent && !held) { sent = false; paint(value()) } },
  }
}
