// A film: steps at an interval, started and stopped by its button.
import assert from "node:assert/strict"
import { afterEach, beforeEach, mock, test } from "node:test"

import { film } from "../../app/web/film.js"

let button, changes, leave, made, steps

beforeEach(() => {
  mock.timers.enable({ apis: ["setInterval"] })
  steps = 0
  changes = []
  button = {
    pressed: null,
    addEventListener(_, act) { this.press = act },
    setAttribute(_, value) { this.pressed = value },
  }
  const model = { on: (_, act) => { leave = act } }
  made = film(model, button, 100, () => { steps += 1 }, (on) => changes.push(on))
})

afterEach(() => mock.reset())

test("its button starts and stops it, and says so", () => {
  assert.equal(made.on, false)
  button.press()
  mock.timers.tick(250)
  assert.equal(steps, 2)
  assert.deepEqual([made.on, button.pressed], [true, "true"])
  button.press()
  mock.timers.tick(250)
  assert.equal(steps, 2)
  assert.deepEqual([made.on, button.pressed], [false, "false"])
  assert.deepEqual(changes, [true, false])
})

test("started twice it runs once, and it ends with its component", () => {
  made.play(true)
  made.play(true)
  mock.timers.tick(100)
  assert.equal(steps, 1)
  leave()
  mock.timers.tick(500)
  assert.equal(steps, 1)
})
