// Back-pressure: two batches in flight, the newest of each kind waits.
import assert from "node:assert/strict"
import { afterEach, beforeEach, mock, test } from "node:test"

import { GIVE_UP_MS, IN_FLIGHT, LOST_AFTER_MS, SLOW_MS, channel, serverListens, underWay } from "../../app/web/channel.js"
import { page } from "./page.js"

let busy, told

beforeEach(() => {
  ;({ busy, told } = page())
  // Each batch sets a timer of eight seconds, which would keep node waiting.
  mock.timers.enable({ apis: ["setTimeout"] })
})

afterEach(() => mock.reset())

function model(given = {}) {
  const heard = new Map()
  return {
    ack: 0, took: 0, sent: [], ...given,
    on(name, act) { heard.set(name, act) },
    send_msg(message) { this.sent.push(message) },
    answer(ack) { this.ack = ack; heard.get("ack")() },
  }
}

const kinds = (batch) => batch.batch.map((m) => m.value)

test("a message is sent at once, with a number that counts on from the server's", () => {
  const m = model({ ack: 7 })
  channel(m).send({ type: "month", value: 1 })
  assert.deepEqual(m.sent, [{ seq: 8, batch: [{ type: "month", value: 1 }] }])
})

test("no more than two batches are in flight", () => {
  const m = model(), wire = channel(m)
  for (let value = 0; value < 10; value++) wire.send({ type: "z", value })
  assert.equal(m.sent.length, IN_FLIGHT)
  m.answer(1)
  assert.equal(m.sent.length, 3)
})

test("of what waits only the newest of each key is sent, in the order of the keys", () => {
  const m = model(), wire = channel(m)
  wire.send({ type: "z", value: 0 }); wire.send({ type: "z", value: 1 })
  for (const value of [2, 3]) {
    wire.send({ type: "z", value }, "z0")
    wire.send({ type: "z", value: 10 * value }, "z1")
  }
  wire.send({ type: "z", value: 4 }, "z0")
  m.answer(1)
  assert.deepEqual(kinds(m.sent[2]), [4, 30])
})

test("one answer may stand for two batches", () => {
  const m = model(), wire = channel(m)
  wire.send({ type: "a", value: 1 }); wire.send({ type: "b", value: 2 })
  assert.equal(wire.idle, false)
  m.answer(2)
  assert.equal(wire.idle, true)
})

test("the document says whether anything is under way, whichever part it is of", () => {
  const first = model(), second = model()
  const one = channel(first), two = channel(second)
  one.send({ type: "a" }); two.send({ type: "b" })
  assert.equal(busy(), true)
  first.answer(1)
  assert.equal(busy(), true)
  second.answer(1)
  assert.equal(busy(), false)
  window.mldaUnderWay = { ...window.mldaUnderWay, analysis: 1 }
  underWay()
  assert.equal(busy(), true)
})

test("an answer that never comes is told, and blocks for a while only", () => {
  let now = 0
  mock.method(performance, "now", () => now)
  const m = model(), wire = channel(m)
  for (let value = 0; value < 3; value++) wire.send({ type: "z", value })
  mock.timers.tick(LOST_AFTER_MS + 1)
  assert.ok(told().includes("mlda:lost"))
  assert.equal(m.sent.length, IN_FLIGHT)
  now = GIVE_UP_MS + 1
  wire.send({ type: "z", value: 9 })
  assert.deepEqual(kinds(m.sent[2]), [9])
})

test("of a server that answers late one request at a time is asked, until it is quick again", () => {
  let now = 0
  mock.method(performance, "now", () => now)
  const m = model(), wire = channel(m)
  for (let value = 0; value < 3; value++) wire.send({ type: "z", value })
  assert.equal(m.sent.length, 2)
  now = SLOW_MS + 1
  m.answer(1)
  assert.equal(m.sent.length, 2, "the second is still in flight")
  m.answer(2)
  assert.deepEqual(kinds(m.sent[2]), [2])
  now += 10
  wire.send({ type: "z", value: 3 })
  assert.equal(m.sent.length, 3)
  m.answer(3)
  for (let value = 4; value < 6; value++) wire.send({ type: "z", value })
  assert.equal(m.sent.length, 5)
})

test("an answer in time is no loss", () => {
  const m = model()
  channel(m).send({ type: "a" })
  m.answer(1)
  mock.timers.tick(LOST_AFTER_MS + 1)
  assert.ok(!told().includes("mlda:lost"))
})

test("what benchmarks listen to carries the server's time", () => {
  const m = model({ took: 28 }), wire = channel(m)
  wire.send({ type: "a" })
  m.answer(1)
  assert.ok(told().includes("mlda:ack"))
})

test("what is sent before the server listens waits for it, the newest of each key", () => {
  ;({ busy, told } = page({ listens: false }))
  const m = model(), other = model(), wire = channel(m)
  wire.send({ type: "tool", value: "explore" }); wire.send({ type: "tool", value: "observe" })
  channel(other).send({ type: "month", value: 1 })
  assert.deepEqual([m.sent, other.sent, busy()], [[], [], true])
  serverListens()
  assert.deepEqual([...m.sent.map(kinds), ...other.sent.map(kinds)], [["observe"], [1]])
  m.answer(1); other.answer(1)
  assert.equal(busy(), false)
})
