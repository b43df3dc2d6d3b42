// The maps under a hand that drags a slider, between two frames of the server.
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"

import { page } from "./page.js"

const SCRIPT = readFileSync(new URL("../../app/web/linear_preview.js", import.meta.url), "utf8")
// Missing, the ends of the scale, two values between, off the globe.
const FRAME = [0, 1, 254, 100, 200, 255]

function begin() {
  const here = page()
  const waiting = [], timers = []
  globalThis.setTimeout = (act) => timers.push(act)
  globalThis.clearTimeout = () => timers.splice(0)
  globalThis.requestAnimationFrame = (act) => waiting.push(act)
  // The script is the page's own, not a module.
  new Function(SCRIPT)()
  const emitted = []
  // Six pixels of six cells; of the pixel at the upper end the cell lies 30 beyond it.
  const index = { data: { image: [Uint16Array.from([0, 1, 2, 3, 4, 5])] } }
  const cells = { data: { model: Float32Array.from([NaN, 0, 283 / 10, 9.9, 19.9, 0]) } }
  const map = (name) => ({
    image: { data: { image: [Uint8Array.from(FRAME)] }, change: { emit: () => emitted.push(name) } },
    cells, index,
  })
  const maps = [map("psl"), map("tas")]
  const preview = globalThis.window.mldaPreview
  const rates = Int8Array.from([9, 0, -20, 10, -20, 9, 9, 9, -20, 0, 127, 9])
  return {
    preview, maps, emitted,
    late: () => { for (const act of timers.splice(0)) act(); return here.has("data-late") },
    slope: { k: 1, scales: [0.5, 1], rates, lows: [0, 0], per_unit: [10, 10] },
    shown: (i = 0) => [...maps[i].image.data.image[0]],
    frame: () => { for (const act of waiting.splice(0)) act() },
    written(levels, z) {
      for (const { image } of maps) image.data.image[0].set(levels)
      preview.written(maps.map(({ image }) => image), z)
    },
  }
}

test("a map changes with the hand; what is no value stays, what is off the scale comes back late", () => {
  const { preview, maps, slope, shown, frame, written, emitted, late } = begin()
  written(FRAME, [0, 0.5])
  preview.learn(slope, maps)
  preview.move(1, 2.5)
  assert.deepEqual(shown(), FRAME, "it is drawn with the browser's next picture")
  frame()
  assert.deepEqual(shown(), [0, 1, 254, 110, 180, 255])
  assert.deepEqual(shown(1), [0, 19, 244, 100, 254, 255])
  assert.deepEqual(emitted, ["psl", "tas"])
  assert.equal(late(), true, "the numbers are still the server's")
  // From the frame each time, not from the last preview.
  preview.move(1, 1.5)
  preview.move(1, 0.5)
  frame()
  assert.deepEqual(shown(), FRAME)
  assert.equal(late(), false)
})

test("the server's frame takes its place, and the hand goes on from it", () => {
  const { preview, maps, slope, shown, frame, written } = begin()
  written(FRAME, [0, 0])
  preview.learn(slope, maps)
  preview.move(1, 2)
  frame()
  written([0, 1, 254, 104, 194, 255], [0, 1])
  assert.deepEqual(shown(), [0, 1, 254, 109, 184, 255], "of 1, the hand is at 2")
  written([0, 1, 254, 108, 182, 255], [0, 2])
  assert.deepEqual(shown(), [0, 1, 254, 108, 182, 255])
})

test("what was refused, or never drawn by the server, goes", () => {
  const { preview, maps, slope, shown, frame, written } = begin()
  written(FRAME, [0, 0])
  preview.learn(slope, maps)
  preview.move(1, 2)
  frame()
  assert.notDeepEqual(shown(), FRAME)
  preview.release()
  frame()
  assert.deepEqual(shown(), FRAME)
  // An undo after it is drawn as the server says.
  written([0, 1, 254, 50, 50, 255], [0, -3])
  assert.deepEqual(shown(), [0, 1, 254, 50, 50, 255])
})

test("a slope that holds no more leaves the frame, and another latent's does nothing", () => {
  const { preview, maps, slope, shown, frame, written, emitted } = begin()
  written(FRAME, [0, 0])
  preview.move(1, 2)
  frame()
  assert.deepEqual(shown(), FRAME, "no slope yet")
  preview.learn(slope, maps)
  frame()
  assert.deepEqual(shown(), [0, 1, 254, 110, 180, 255], "the hand was there before it")
  preview.learn(null, maps)
  frame()
  assert.deepEqual(shown(), FRAME)
  preview.learn(slope, maps)
  preview.move(0, 2)
  emitted.length = 0
  frame()
  assert.deepEqual(shown(), FRAME)
  assert.deepEqual(emitted, [])
})
