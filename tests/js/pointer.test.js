// Gestures on maps: a click on a free place, on a marker, a marker that is dragged.
import assert from "node:assert/strict"
import { afterEach, beforeEach, test } from "node:test"

import { drawing, pointing } from "../../app/web/pointer.js"
import { page } from "./page.js"

// A map of 400 by 200 pixels over -2..2 by -1..1, its corner at 100, 50.
const MAP = {
  getBoundingClientRect: () => ({ left: 100, top: 50, width: 400, height: 200 }),
  closest: () => ({ dataset: { variable: "tas" } }),
}
const OTHER = { ...MAP }
let done, source, off, has, mode, active

beforeEach(() => {
  ;({ has } = page())
  done = []
  mode = "place"
  active = true
  // One marker in the middle of the map and one at its lower left.
  source = { data: { x: [0, -2], y: [0, -1], row: [7, 8] }, change: { emit: () => done.push(["drawn"]) } }
  const models = {
    "map-x": { start: -2, end: 2 }, "map-y": { start: -1, end: 1 }, "observations-tas": source,
  }
  window.Bokeh = { documents: [{ get_model_by_name: (name) => models[name] }] }
  off = pointing({
    active: () => active,
    mode: () => mode,
    place: (...given) => done.push(["place", ...given]),
    move: (...given) => done.push(["move", ...given]),
    toggle: (variable, row) => done.push(["toggle", variable, row]),
    hover: (row) => done.push(["hover", row]),
  })
})

afterEach(() => off())

function tell(type, clientX, clientY, map = MAP, more = {}) {
  const event = {
    type, clientX, clientY, button: 0, stopped: 0,
    target: { closest: () => map },
    stopPropagation() { this.stopped += 1 },
    preventDefault() {},
    ...more,
  }
  window.dispatchEvent(event)
  return event
}

test("a click on a free place observes there, in the map's coordinates", () => {
  tell("pointerdown", 400, 100)
  tell("pointerup", 400, 100)
  assert.deepEqual(done, [["place", "tas", 1, 0.5]])
})

test("a click on a marker withholds it, and Bokeh does not see it", () => {
  const down = tell("pointerdown", 303, 152)
  const up = tell("pointerup", 303, 152)
  assert.deepEqual(done, [["toggle", "tas", 7]])
  assert.ok(down.stopped && up.stopped)
})

test("beyond a few pixels a marker is not hit", () => {
  tell("pointerdown", 300 + 10, 150)
  tell("pointerup", 300 + 10, 150)
  assert.equal(done[0][0], "place")
})

test("a marker follows the pointer that drags it, and is moved at the end", () => {
  tell("pointerdown", 300, 150)
  tell("pointermove", 350, 150)
  assert.deepEqual(done, [["drawn"], ["move", "tas", 7, 0.5, 0, false]])
  assert.equal(source.data.x[0], 0.5)
  tell("pointerup", 400, 150)
  assert.deepEqual(done.at(-1), ["move", "tas", 7, 1, 0, true])
})

test("a hand that slips by a pixel or two has clicked", () => {
  tell("pointerdown", 300, 150)
  tell("pointermove", 302, 151)
  tell("pointerup", 302, 151)
  assert.deepEqual(done, [["toggle", "tas", 7]])
})

test("dragging a free place stays Bokeh's", () => {
  const down = tell("pointerdown", 400, 100)
  const move = tell("pointermove", 430, 120)
  tell("pointerup", 430, 120)
  assert.deepEqual(done, [])
  assert.equal(down.stopped + move.stopped, 0)
})

test("a press on one map and a release on another is no click", () => {
  tell("pointerdown", 400, 100)
  tell("pointerup", 400, 100, OTHER)
  assert.deepEqual(done, [])
})

test("what is cancelled is forgotten", () => {
  tell("pointerdown", 300, 150)
  tell("pointercancel", 300, 150)
  tell("pointerup", 300, 150)
  assert.deepEqual(done, [])
})

test("over a marker the pointer says so, and which", () => {
  tell("pointermove", 101, 249)
  assert.deepEqual(done, [["hover", 8]])
  assert.ok(has("data-on-marker"))
  tell("pointermove", 200, 200)
  assert.deepEqual(done.at(-1), ["hover", null])
  assert.ok(!has("data-on-marker"))
})

test("with a box or a lasso a free click places nothing, and a marker is still withheld", () => {
  mode = "box"
  tell("pointerdown", 400, 100)
  tell("pointerup", 400, 100)
  tell("pointerdown", 300, 150)
  tell("pointerup", 300, 150)
  assert.deepEqual(done, [["toggle", "tas", 7]])
})

test("while another tool is chosen nothing is done", () => {
  active = false
  tell("pointerdown", 400, 100)
  tell("pointermove", 400, 100)
  tell("pointerup", 400, 100)
  assert.deepEqual(done, [])
})

test("another button than the first is not ours", () => {
  tell("pointerdown", 400, 100, MAP, { button: 2 })
  tell("pointerup", 400, 100, MAP, { button: 2 })
  assert.deepEqual(done, [])
})

test("two quick clicks enlarge no row while they place observations", () => {
  assert.equal(tell("dblclick", 400, 100).stopped, 1)
  mode = "box"
  assert.equal(tell("dblclick", 400, 100).stopped, 0)
})

test("after it ends nothing is heard", () => {
  off()
  tell("pointerdown", 400, 100)
  tell("pointerup", 400, 100)
  assert.deepEqual(done, [])
})

const BOX = { type: "rect", sx0: 9, sx1: 9, sy0: 9, sy1: 9, x0: -1, x1: 1, y0: 0, y1: 0.5 }
const LASSO = { type: "poly", x: new Float64Array([0, 1, 1]), y: new Float64Array([0, 0, 1]) }

function drawings() {
  const drawn = []
  off()
  off = drawing({ active: () => active, mode: () => mode, drawn: (...given) => drawn.push(given) })
  return drawn
}
const finish = (detail) => document.dispatchEvent({ type: "mlda:drawn", detail })

test("a box goes with the mode, the variable and the map's coordinates of its drag", () => {
  const drawn = drawings()
  mode = "region"
  tell("pointerdown", 300, 100)
  finish(BOX)
  assert.deepEqual(drawn, [["region", "tas", { type: "rect", x0: -1, x1: 1, y0: 0, y1: 0.5 }]])
})

test("a lasso is sent as plain lists", () => {
  const drawn = drawings()
  mode = "lasso"
  tell("pointerdown", 300, 100)
  finish(LASSO)
  assert.deepEqual(drawn, [["lasso", "tas", { type: "poly", x: [0, 1, 1], y: [0, 0, 1] }]])
})

test("a drawing means what was chosen when its drag began, not what is chosen when it ends", () => {
  const drawn = drawings()
  mode = "box"
  tell("pointerdown", 300, 100)
  mode = "region"
  finish(BOX)
  tell("pointerdown", 300, 100)
  mode = "box"
  finish(BOX)
  assert.deepEqual(drawn.map(([by]) => by), ["box", "region"])
})

test("no drawing is taken twice, of another tool, off the maps, or of another shape", () => {
  const drawn = drawings()
  mode = "box"
  tell("pointerdown", 300, 100)
  finish(LASSO)
  finish(BOX)
  tell("pointerdown", 300, 100, null)
  finish(BOX)
  active = false
  tell("pointerdown", 300, 100)
  finish(BOX)
  active = true
  mode = "place"
  tell("pointerdown", 300, 100)
  finish(BOX)
  assert.deepEqual(drawn, [])
})
