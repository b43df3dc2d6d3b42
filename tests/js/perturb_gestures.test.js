// What a drag draws in the tool Perturb: held here, and shown by the form's own buttons.
import assert from "node:assert/strict"
import { afterEach, beforeEach, mock, test } from "node:test"

import { render } from "../../app/web/perturb_gestures.js"
import { page } from "./page.js"

let model, buttons, has

beforeEach(() => {
  has = page().has
  mock.timers.enable({ apis: ["setTimeout"] })
  globalThis.MutationObserver = class { observe() {} disconnect() {} }
  globalThis.CustomEvent = class { constructor(type, { detail }) { Object.assign(this, { type, detail }) } }
  document.querySelectorAll = () => []
  document.documentElement.dataset.tool = "perturb"
  buttons = {}
  for (const name of ["box", "lasso", "within", "over", "sensitivity"]) {
    buttons[`perturb-${name}`] = { textContent: "", setAttribute(_, value) { this.pressed = value } }
  }
  window.Bokeh = {
    documents: [{ get_model_by_name: (name) => buttons[name] }],
    index: { find_one: (button) => button && { el: { shadowRoot: { querySelector: () => button } } } },
  }
  const heard = new Map()
  model = {
    ack: 0, view: "sum", chosen: 0, busy: false, sent: [],
    on(name, act) { heard.set(name, [...(heard.get(name) ?? []), act]) },
    send_msg(message) { this.sent.push(...message.batch); this.ack += 1; this.tell("ack") },
    tell: (name) => { for (const act of heard.get(name) ?? []) act() },
  }
  render({ model })
})

afterEach(() => { model.tell("remove"); mock.reset() })

const draw = (detail) => document.dispatchEvent(new CustomEvent("mlda:draw", { detail }))
const node = (...kinds) => ({ matches: (query) => kinds.some((kind) => query.includes(kind)), classList: ["patch", "at1"] })
const press = (type, path, more = {}) => document.dispatchEvent({ type, composedPath: () => path, ...more })

test("a button says what to do while it is pressed, and a second press ends it", () => {
  draw("box")
  assert.deepEqual(model.sent, [{ type: "sea-mode", value: "box" }])
  assert.deepEqual([buttons["perturb-box"].pressed, buttons["perturb-lasso"].pressed], ["true", "false"])
  assert.equal(buttons["perturb-box"].textContent, "Drag a box …")
  assert.ok(has("data-drawing"))
  draw("box")
  assert.equal(buttons["perturb-box"].textContent, "Draw box")
  assert.ok(!has("data-drawing"))
})

test("Escape ends drawing", () => {
  draw("lasso")
  press("keydown", [node()], { key: "Escape" })
  assert.deepEqual(model.sent.map((m) => m.value), ["lasso", ""])
})

test("a map is clicked in the views that ask for a place", () => {
  assert.ok(!has("data-draws"))
  model.view = "atlas"
  model.tell("view")
  assert.ok(has("data-draws"))
})

test("a press in a row selects its change, one on its button does not", () => {
  press("click", [node("button"), node(".patch")])
  assert.deepEqual(model.sent, [])
  press("click", [node("span"), node(".patch")])
  assert.deepEqual(model.sent, [{ type: "sea-select", at: 1 }])
  model.chosen = 1
  press("keyup", [node(".patch")], { key: "Tab" })
  assert.equal(model.sent.length, 1)
})

test("Delete is for the change that is selected, and no input's own key", () => {
  press("keydown", [node("select")], { key: "Delete" })
  document.documentElement.dataset.tool = "observe"
  press("keydown", [node()], { key: "Delete" })
  document.documentElement.dataset.tool = "perturb"
  assert.deepEqual(model.sent, [])
  press("keydown", [node()], { key: "Delete" })
  assert.deepEqual(model.sent, [{ type: "sea-delete", at: 0 }])
})
