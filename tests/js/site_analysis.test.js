// The analysis of a page without a server: its matrices, its covariance, its links.
import assert from "node:assert/strict"
import { test } from "node:test"

import { Analyses, share, taper } from "../../mlda_core/assets/site/analysis.js"
import { halves, unpacked } from "../../mlda_core/assets/site/files.js"
import { cholesky, minimise, solveRoot, transposedTimes } from "../../mlda_core/assets/site/matrices.js"
import { normal, random, read, written } from "../../mlda_core/assets/site/state.js"

const near = (a, b, within = 1e-9) => assert.ok(Math.abs(a - b) <= within, `${a} and ${b}`)

test("a root solves what it is the root of", () => {
  const n = 5, draw = random(3), a = Float64Array.from({ length: n * n }, () => normal(draw))
  const square = transposedTimes(a, a, n, n, n), root = square.slice()
  assert.ok(cholesky(root, n))
  const x = Float64Array.from([1, -2, 3, 0.5, 4])
  const b = Float64Array.from(x, (_, i) => x.reduce((sum, v, j) => sum + square[i * n + j] * v, 0))
  solveRoot(root, n, b, 1)
  solveRoot(root, n, b, 1, true)
  b.forEach((v, i) => { near(v, x[i], 1e-8) })
  assert.equal(cholesky(Float64Array.from([1, 2, 2, 1]), 2), false)
})

test("a minimisation finds the minimum of a bent valley", () => {
  // Rosenbrock's.
  const fit = ([x, y]) => ({
    cost: (1 - x) ** 2 + 10 * (y - x * x) ** 2,
    gradient: Float64Array.from([-2 * (1 - x) - 40 * x * (y - x * x), 20 * (y - x * x)]),
  })
  const points = [...minimise(fit, Float64Array.from([-1, 1]), (g) => g.map((v) => 0.02 * v))]
  const last = points.at(-1)
  assert.ok(last.converged)
  near(last.x[0], 1, 0.02)
  points.slice(1).forEach((point, i) => { assert.ok(point.cost <= points[i].cost) })
})

test("the taper is one at none, five twenty-fourths at its half-width, and ends at twice it", () => {
  near(taper(0), 1)
  near(taper(1), 5 / 24)
  assert.equal(taper(2), 0)
  for (let r = 0; r < 2; r += 0.05) assert.ok(taper(r + 0.05) < taper(r))
})

test("the decoder's share falls with the places, in twentieths rounded to even", () => {
  const hybrid = { sparse: 0.65, dense: 0.15 }
  assert.equal(share(hybrid, 1), 0.65)
  assert.equal(share(hybrid, 10), 0.65)
  assert.equal(share(hybrid, 300), 0.15)
  near(share(hybrid, 30), 0.5)
  near(share({ sparse: 0.125, dense: 0.125 }, 10), 0.1)
})

// Two variables on two by four cells, a decoder that is one line, one further pattern.
function engine() {
  const shape = {
    variables: 2, lat: 2, lon: 4, latents: 2, patterns: 2, statistics: 3, hybrid: { sparse: 0.5, dense: 0.5 },
    halfWidth: 4000, latitudes: [-30, 30], longitudes: [0, 90, 180, 270],
  }
  const cells = 16, draw = random(5), bytes = (n) => Int8Array.from({ length: n }, () => Math.round(30 * normal(draw)))
  const patterns = bytes(2 * cells), scale = Float32Array.from([0.02, 0.03])
  const lines = [0, 1].map((k) => Float32Array.from({ length: cells }, (_, p) => scale[k] * patterns[k * cells + p]))
  const decoder = {
    parts: { patterns, scale },
    decode: (z) => ({
      x: Float32Array.from({ length: cells }, (_, p) => z[0] * lines[0][p] + z[1] * lines[1][p]),
      pull: (dx) => Float64Array.from(lines, (line) => line.reduce((sum, v, p) => sum + v * dx[p], 0)),
    }),
  }
  const jacobian = Int8Array.from(patterns), slopes = scale
  const left = Float32Array.from([0.3, 0.1, 0, 0.1, 0.4, 0.05, 0, 0.05, 0.2])
  const past = Float32Array.from([0.9, 0, 0.1, 0, 0.8, 0, 0.1, 0, 0.5])
  const further = bytes(cells), step = Float32Array.from([0.025])
  const row = (k) => Float64Array.from({ length: cells }, (_, p) => (k < 2 ? lines[k][p] : step[0] * further[p]))
  const variance = (c) => Float32Array.from({ length: cells }, (_, p) => {
    let sum = 0
    for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) sum += row(i)[p] * c[3 * i + j] * row(j)[p]
    return sum
  })
  const leftover = new Float32Array(cells).fill(0.1)
  const parts = {
    jacobian, slopes, left, past, further, step, leftover, varianceLeft: variance(left), variancePast: variance(past),
  }
  return { own: new Analyses(shape, parts, decoder), lines, cells }
}

test("the covariance is symmetric, and its diagonal the variance", () => {
  const { own, cells } = engine()
  const { varianceLeft, variancePast, leftover } = own.parts
  for (let a = 0; a < cells; a++) {
    near(own.column(a, 0.5)[a], 0.5 * varianceLeft[a] + 0.5 * variancePast[a] + leftover[a], 1e-5)
    for (let b = 0; b < cells; b++) near(own.column(a, 0.5)[b], own.column(b, 0.5)[a], 1e-6)
  }
})

test("with a straight decoder the analysis is optimal interpolation", () => {
  const { own, lines, cells } = engine()
  const seen = [{ cell: 1, value: 0.7, sd: 0.3 }, { cell: 10, value: -0.4, sd: 0.5 }]
  const last = [...own.run(seen)].at(-1)
  // The whole covariance of both parts, dense.
  const total = (a, b) => own.column(a, 0.5)[b] + 0.5 * lines.reduce((sum, line) => sum + line[a] * line[b], 0)
  const root = Float64Array.from([
    total(1, 1) + 0.09, 0, total(10, 1), total(10, 10) + 0.25,
  ])
  cholesky(root, 2)
  const weights = Float64Array.from([0.7, -0.4])
  solveRoot(root, 2, weights, 1)
  solveRoot(root, 2, weights, 1, true)
  for (let p = 0; p < cells; p++) {
    near(last.x[p], weights[0] * total(1, p) + weights[1] * total(10, p), 2e-4)
    const gain = Float64Array.from([total(1, p), total(10, p)])
    solveRoot(root, 2, gain, 1)
    near(last.sd[p] ** 2, total(p, p) - gain[0] ** 2 - gain[1] ** 2, 1e-4)
  }
  assert.ok(last.done)
})

test("halves and arrays are read from their bits", () => {
  assert.deepEqual([...halves(Uint16Array.from([0x3c00, 0xc000, 0x0001, 0x7bff, 0x8000]))], [1, -2, 2 ** -24, 65504, -0])
  const buffer = new ArrayBuffer(24)
  new Float32Array(buffer, 8, 2).set([1.5, -2])
  new Int8Array(buffer, 0, 3).set([1, -1, 7])
  const found = unpacked(buffer, { a: { at: 0, shape: [3], kind: "int8" }, b: { at: 8, shape: [1, 2], kind: "float32" } })
  assert.deepEqual([...found.a], [1, -1, 7])
  assert.deepEqual([...found.b], [1.5, -2])
})

const ABOUT = {
  first: "1997-12", months: [{ label: "1997-12" }, { label: "1998-12" }],
  shape: { latents: 4, lat: 2, lon: 4 }, variables: [{ name: "psl", decimals: 1 }, { name: "tas", decimals: 1 }],
}

test("a link is read as it was written", () => {
  const state = {
    month: "1998-12", z: Float64Array.from([0.5, 0, -1.25, 0]),
    observations: [{ variable: 1, cell: 11, value: -2.5 }, { variable: 0, cell: 2, value: 0 }],
  }
  const mask = new Uint8Array(16).fill(1), found = read(written(state, ABOUT), ABOUT, mask)
  assert.deepEqual(found, { state, problem: "" })
})

test("one cell is observed once, and a latent number beyond the limit is written at it", () => {
  const mask = new Uint8Array(16).fill(1), { state, problem } = read("#obs=psl:2:1,psl:2:3", ABOUT, mask)
  assert.deepEqual(state.observations, [{ variable: 0, cell: 2, value: 1 }])
  assert.ok(problem.includes("psl:2:3"))
  const far = { month: "1997-12", z: Float64Array.from([6.5, 0, 0, 0]), observations: [] }
  assert.equal(read(written(far, ABOUT), ABOUT, mask).problem, "")
})

test("what a link has wrong is said and left out", () => {
  const mask = new Uint8Array(16).fill(1)
  mask[3] = 0
  for (const [hash, words] of [
    ["#month=1700-01", "the month 1700-01"], ["#z=9:1", "the latent number 9:1"], ["#z=1:99", "1:99"],
    ["#z=1:x", "1:x"], ["#z=:1", "the latent number :1"], ["#obs=psl::5", "psl::5"], ["#obs=psl:3:1", "psl:3:1"], ["#obs=fog:2:1", "fog:2:1"], ["#obs=psl:2:", "psl:2:"],
  ]) {
    const { state, problem } = read(hash, ABOUT, mask)
    assert.match(problem, /^The link has .*; it is left out\.$/)
    assert.ok(problem.includes(words), problem)
    assert.deepEqual([state.month, state.observations.length, [...state.z]], ["1997-12", 0, [0, 0, 0, 0]])
  }
})
