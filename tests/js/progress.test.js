// Progress through lessons, kept in the browser.
import assert from "node:assert/strict"
import { test } from "node:test"

import { progress } from "../../app/web/progress.js"

const store = () => {
  const kept = new Map()
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) }
}

test("what was answered is kept, and what was once right stays so", () => {
  const kept = store()
  const made = progress(() => kept)
  assert.equal(made.answer("one", 1), undefined)
  assert.deepEqual(made.of("one", 2), { state: "", words: "not begun" })
  made.keep("one", 1, true)
  made.keep("one", 1, false)
  assert.deepEqual(made.of("one", 2), { state: "begun", words: "1 of 2 answered" })
  made.keep("one", 2, false)
  // Another page of the same browser.
  const other = progress(() => kept)
  assert.equal(other.answer("one", 1), true)
  assert.equal(other.answer("one", 2), false)
  assert.deepEqual(other.of("one", 2), { state: "right", words: "done: 1 of 2 right" })
})

test("a browser that stores nothing, or something else, does no harm", () => {
  const none = progress(() => { throw new Error("denied") })
  none.keep("one", 1, true)
  assert.equal(none.answer("one", 1), undefined)
  const odd = progress(() => ({ getItem: () => "{no JSON", setItem() { /* nothing */ } }))
  assert.equal(odd.of("one", 1).state, "")
})
