// What the parts of the page share.
import assert from "node:assert/strict"
import { test } from "node:test"

import { escape, listen, moveByArrows } from "../../app/web/dom.js"

test("a text is shown as it is", () => {
  const text = escape(`<b title="x">R&D</b>`)
  assert.ok(!/[<>"]/.test(text))
  assert.equal(text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code)), `<b title="x">R&D</b>`)
  assert.equal(escape(1.5), "1.5")
})

test("arrows move among buttons, round both ends", () => {
  const focused = [], chosen = []
  const buttons = ["a", "b", "c"].map((name) => ({
    name,
    addEventListener(_, act) { this.press = (key) => act({ key }) },
    focus() { focused.push(name) },
    click() { chosen.push(name) },
  }))
  moveByArrows(buttons)
  buttons[0].press("ArrowRight")
  buttons[0].press("ArrowLeft")
  buttons[2].press("ArrowRight")
  buttons[1].press("Enter")
  assert.deepEqual(chosen, ["b", "c", "a"])
  assert.deepEqual(focused, chosen)
})

test("something else than a click may be done with the one that was moved to", () => {
  const chosen = []
  const button = { addEventListener(_, act) { this.press = (key) => act({ key }) }, focus() {} }
  moveByArrows([button], (other) => chosen.push(other))
  button.press("ArrowRight")
  assert.deepEqual(chosen, [button])
})

test("what listens ends, and leaves others listening", () => {
  const target = new EventTarget(), heard = []
  const end = listen(target, "x", () => heard.push("one"))
  listen(target, "x", () => heard.push("other"))
  target.dispatchEvent(new Event("x"))
  end()
  target.dispatchEvent(new Event("x"))
  assert.deepEqual(heard, ["one", "other", "other"])
})
