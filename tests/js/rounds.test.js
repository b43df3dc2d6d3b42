// Rounds of the game, kept in the browser.
import assert from "node:assert/strict"
import { test } from "node:test"

import { rounds } from "../../app/web/rounds.js"

const store = () => {
  const kept = new Map()
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) }
}
const one = { id: "a", month: "1998-03", own: 0.3, random: 0.2, best: 0.4, beaten: 15, draws: 20 }
const two = { ...one, id: "b", month: "1998-09", own: 0.1, beaten: 5 }

test("rounds are kept once, by bundle, and summed up", () => {
  const kept = store()
  const made = rounds(() => kept, "speedy")
  assert.equal(made.summary(), null)
  made.keep(one)
  made.keep({ ...one, words: "said again" })
  made.keep(two)
  // Another page of the same browser, and another bundle.
  const other = rounds(() => kept, "speedy")
  assert.deepEqual(other.all(), [one, two])
  rounds(() => kept, "real").keep({ ...one, own: 0.9 })
  const found = other.summary()
  assert.equal(found.count, 2)
  assert.ok(Math.abs(found.own - 0.2) < 1e-12)
  assert.equal(found.share, 0.5)
  assert.equal(found.top.month, "1998-03")
  other.forget()
  assert.equal(other.summary(), null)
  assert.equal(rounds(() => kept, "real").summary().own, 0.9)
})

test("what is no round is not kept, and a browser that stores nothing does no harm", () => {
  const kept = store()
  const made = rounds(() => kept, "speedy")
  made.keep({ ...one, own: Number.NaN })
  kept.setItem("mlda-rounds", JSON.stringify({ speedy: [null, { id: 3 }, two] }))
  assert.deepEqual(made.all(), [two])
  kept.setItem("mlda-rounds", "no JSON")
  assert.deepEqual(made.all(), [])
  const none = rounds(() => { throw new Error("denied") }, "speedy")
  none.keep(one)
  none.forget()
  assert.equal(none.summary(), null)
})
