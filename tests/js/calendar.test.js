// Which months or days there are, and which is nearest to one that there is not.
import assert from "node:assert/strict"
import { test } from "node:test"

import { calendar } from "../../app/web/calendar.js"

const MONTHS = Array.from({ length: 12 }, (_, k) => String(k + 1).padStart(2, "0"))
const DATES = ["01-30", "01-31", "02-28", "02-29", "03-01"]

test("a month that a year lacks is the first that it has", () => {
  const times = calendar({ 1997: "-".repeat(10) + "TT", 1998: "tt" + "-".repeat(10) }, MONTHS)
  assert.equal(times.nearest("1997-12"), "1997-12")
  assert.equal(times.nearest("1997-03"), "1997-11")
  assert.equal(times.nearest("1999-03"), undefined)
  assert.equal(times.inMonth("1997-12", 3), "1997-03")
  assert.deepEqual([times.codeOf("1997-12"), times.codeOf("1997-01"), times.codeOf("x")], ["T", "-", "-"])
})

test("a day that a month lacks is the nearest of that month", () => {
  const times = calendar({ 1983: "tttt-".replace("t-", "-t"), 1984: "TTTTT" }, DATES)
  assert.equal(times.inMonth("1984-01-31", 2), "1984-02-31")
  assert.equal(times.nearest("1984-02-31"), "1984-02-29")
  assert.equal(times.nearest("1983-02-29"), "1983-02-28")
  assert.equal(times.nearest("1983-07-01"), "1983-01-30")
  assert.deepEqual(times.within("1983-02"), ["1983-02-28"])
})

test("one goes from one to the next, over years that are not there and round both ends", () => {
  const times = calendar({ 1997: "TTTTT", 1984: "ttttt" }, DATES)
  assert.deepEqual(times.years, ["1984", "1997"])
  assert.equal(times.after("1984-02-28", 1), "1984-02-29")
  assert.equal(times.after("1984-03-01", 1), "1997-01-30")
  assert.equal(times.after("1984-01-30", -1), "1997-03-01")
})

test("years stand side by side, whatever lies between them", () => {
  const times = calendar({ 1984: "ttttt", 1997: "TTTTT" }, DATES)
  assert.equal(times.placeOf("1984-02-28"), 0.25)
  assert.equal(times.placeOf("1997-02-28"), 0.75)
})
