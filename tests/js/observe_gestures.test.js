// What the pointer does in the tool Observe: held here, and shown by the form's own models.
import assert from "node:assert/strict"
import { afterEach, beforeEach, mock, test } from "node:test"

import { render } from "../../app/web/observe_gestures.js"
import { page } from "./page.js"

let model, models, pressed

beforeEach(() => {
  page()
  mock.timers.enable({ apis: ["setTimeout"] })
  globalThis.MutationObserver = globalThis.ResizeObserver = class { observe() {} disconnect() {} }
  globalThis.CustomEvent = class { constructor(type, { detail }) { Object.assign(this, { type, detail }) } }
  document.querySelectorAll = () => []
  document.documentElement.dataset.tool = "observe"
  pressed = null
  const shown = (given) => ({ ...given, setv(values) { Object.assign(this, values) } })
  models = {
    "observe-mode": shown({ active: 0 }), "observe-station": shown({ active: [] }),
    "observe-as": shown({ value: "report:-2" }), "observe-region": shown({}),
  }
  const button = { setAttribute: (_, value) => { pressed = value } }
  window.Bokeh = {
    documents: [{ get_model_by_name: (name) => models[name] }],
    index: { find_one: () => ({ el: { shadowRoot: { querySelector: () => button } } }) },
  }
  const heard = new Map()
  model = {
    ack: 0, run: "", chosen: 0, largest: 10, sent: [],
    on(name, act) { heard.set(name, [...(heard.get(name) ?? []), act]) },
    send_msg(message) { this.sent.push(...message.batch); this.ack += 1; this.tell("ack") },
    tell: (name) => { for (const act of heard.get(name) ?? []) act() },
  }
  render({ model })
})

afterEach(() => mock.reset())

const choose = (detail) => document.dispatchEvent(new CustomEvent("mlda:mode", { detail }))
const key = (at) => ({ type: "keydown", key: "Delete", composedPath: () => [at] })
const file = (size, id = "tool-observe") => {
  const input = { files: [{ name: "mine.csv", size }], value: "mine.csv" }
  return { type: "input", composedPath: () => [input, { id }], input }
}

test("a mode is told once, and the radio buttons follow those that have none", () => {
  choose("lasso"); choose("lasso")
  assert.deepEqual(model.sent, [{ type: "obs-mode", value: "lasso" }])
  assert.equal(models["observe-mode"].active, 3)
  choose("region")
  assert.equal(models["observe-mode"].active, null)
  assert.equal(pressed, "true")
  assert.equal(document.documentElement.dataset.pointer, "region")
})

test("a second press on the button of the region ends its mode", () => {
  choose("region"); choose("region")
  assert.deepEqual(model.sent.map((m) => m.value), ["region", "place"])
  assert.equal(pressed, "false")
})

test("a box for the region is one box; then the pointer places again", () => {
  choose("region")
  const map = { closest: (query) => query === "main .map" ? map : { dataset: { variable: "tas" } } }
  window.dispatchEvent({ type: "pointerdown", button: 0, target: map, stopPropagation() {}, preventDefault() {} })
  document.dispatchEvent(new CustomEvent("mlda:drawn", { detail: { type: "rect", x0: 0, x1: 1, y0: 0, y1: 1 } }))
  assert.equal(model.sent.at(-1).mode, "region")
  assert.equal(models["observe-mode"].active, 0)
  assert.equal(pressed, "false")
})

test("Delete is for what is selected, and no input's own key", () => {
  const text = { matches: (query) => query.includes("input") }, body = { matches: () => false }
  document.dispatchEvent(key(body))
  assert.deepEqual(model.sent, [])
  model.chosen = 2
  document.dispatchEvent(key(text))
  assert.deepEqual(model.sent, [])
  document.dispatchEvent(key(body))
  assert.deepEqual(model.sent, [{ type: "obs-many", action: "delete" }])
})

test("a file that is too large is not read, in this tool's input alone", () => {
  for (const [size, id, left] of [[10, "tool-observe", "mine.csv"], [11, "bar", "mine.csv"], [11, "tool-observe", ""]]) {
    const event = file(size, id)
    document.dispatchEvent(event)
    assert.equal(event.input.value, left)
  }
  assert.deepEqual(model.sent, [{ type: "obs-too-large", name: "mine.csv", size: 11 }])
})

test("an analysis that waits for a person is no work under way", () => {
  for (const [run, count] of [["live", 1], ["paused", 0], ["step", 1], ["", 0]]) {
    model.run = run
    model.tell("run")
    assert.equal(window.mldaUnderWay.analysis, count)
  }
})
