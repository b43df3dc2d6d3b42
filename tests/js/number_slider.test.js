// A slider and a number that are one value.
import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"

import { numberSlider, parse, place } from "../../app/web/number_slider.js"

let inputs, fill, sent, refused, held, slider

const input = () => {
  const heard = new Map()
  return {
    value: "",
    addEventListener: (name, act) => heard.set(name, act),
    tell: (name, event = {}) => heard.get(name)({ preventDefault() {}, ...event }),
  }
}

beforeEach(() => {
  inputs = { "input.num": input(), "input[type=range]": input() }
  fill = { style: {}, classList: { toggle(name, on) { this[name] = on } } }
  sent = []; refused = []; held = 1
  slider = numberSlider({ querySelector: (query) => inputs[query] ?? fill }, {
    reach: 4, limit: 6, step: 0.05, text: (v) => v.toFixed(2), value: () => held,
    send: (value, done) => sent.push([value, done]), refuse: (typed) => refused.push(typed),
  })
})

test("a number is read with a decimal comma and a minus sign", () => {
  assert.equal(parse(" 1,5 "), 1.5)
  assert.equal(parse("\u22122"), -2)
  assert.ok(Number.isNaN(parse("")))
  assert.ok(Number.isNaN(parse("much")))
})

test("a value beyond the slider lies at its end", () => {
  assert.deepEqual([place(-9, 4), place(0, 4), place(2, 4), place(9, 4)], [0, 50, 75, 100])
})

test("while it is dragged what comes back does not move it, the last answer does", () => {
  const { "input[type=range]": range, "input.num": number } = inputs
  range.tell("pointerdown")
  range.value = "2"
  range.tell("input")
  assert.deepEqual(sent, [[2, false]])
  assert.equal(number.value, "2.00")
  held = 1.5
  slider.show(); slider.answered()
  assert.equal(range.value, 2)
  range.tell("change")
  assert.deepEqual(sent.at(-1), [2, true])
  slider.show()
  assert.equal(range.value, 2)
  slider.answered()
  assert.equal(range.value, 1.5)
})

test("what is typed is sent once, or refused and put back", () => {
  const number = inputs["input.num"]
  number.value = "\u22125,5"; number.tell("input"); number.tell("keydown", { key: "Enter" }); number.tell("blur")
  assert.deepEqual(sent, [[-5.5, true]])
  assert.equal(fill.classList.cold, true)
  number.value = "7"; number.tell("input"); number.tell("blur")
  assert.deepEqual(refused, ["7"])
  assert.equal(number.value, "1.00")
})

test("arrow keys step the number, not beyond its limit", () => {
  const number = inputs["input.num"]
  number.tell("keydown", { key: "ArrowUp" })
  number.tell("keydown", { key: "ArrowDown", ctrlKey: true })
  assert.deepEqual(sent, [[1.05, true]])
  number.value = "5.99"
  number.tell("keydown", { key: "ArrowUp" })
  assert.deepEqual(sent.at(-1), [6, true])
})
