// The analysis (docs/assimilation.md): the latent vector whose decoded state fits the observations, and what they say
// beyond it. The state is x = G(z) + e with z = t zeta, zeta ~ N(0, I) and e ~ N(0, B); B is the hybrid covariance of
// the decoder's residuals and of past months, localised (mlda_core/assimilation/covariance.py).
import { cholesky, dot, minimise, solveRoot, transposedTimes } from "./matrices.js"

// As in Python, where each is explained.
const LEFTOVER_HALF_WIDTH_KM = 600, LEAST_FRACTION = 1e-4, LEAST_ERROR = 0.05, EARTH_RADIUS_KM = 6371

/** Gaspari and Cohn 1999, equation 4.10. @param {number} ratio Distance over the half-width. */
export function taper(ratio) {
  const r = Math.abs(ratio)
  if (r >= 2) return 0
  if (r <= 1) return (((-0.25 * r + 0.5) * r + 0.625) * r - 5 / 3) * r * r + 1
  return ((((r / 12 - 0.5) * r + 0.625) * r + 5 / 3) * r - 5) * r + 4 - 2 / (3 * r)
}

/** The decoder's share of the hybrid covariance, by the number of places.
 * @param {{ sparse: number, dense: number }} hybrid @param {number} places */
export function share(hybrid, places) {
  const part = Math.min(Math.max(Math.log(Math.max(places, 1) / 10) / Math.log(30), 0), 1)
  const tied = 20 * ((1 - part) * hybrid.sparse + part * hybrid.dense)
  // To the even number where it lies between two, as Python rounds.
  const low = Math.floor(tied), rest = tied - low
  return (rest === 0.5 ? low + (low % 2) : Math.round(tied)) / 20
}

/** @typedef {{ cell: number, value: number, sd: number }} Observation Of a cell of the flattened state, standardised. */

/**
 * The analyses of one calendar month.
 *
 * `parts` are the typed arrays of the file of analyses: the patterns of the statistics beyond the decoder's with a
 * step each, the covariances of their coefficients (`left`, `past`) with their variances in each cell, what all
 * patterns leave over, the decoder's Jacobian at z = 0 with a step for each latent.
 */
export class Analyses {
  /** @param {any} shape @param {Record<string, any>} parts @param {import("./network.js").Decoder} decoder */
  constructor(shape, parts, decoder) {
    this.shape = shape
    this.parts = parts
    this.decoder = decoder
    this.size = shape.lat * shape.lon
    this.cells = shape.variables * this.size
    this.points = new Float64Array(3 * this.size)
    for (let i = 0, p = 0; i < shape.lat; i++) {
      for (let j = 0; j < shape.lon; j++, p += 3) {
        const lat = (shape.latitudes[i] * Math.PI) / 180, lon = (shape.longitudes[j] * Math.PI) / 180
        this.points.set([Math.cos(lat) * Math.cos(lon), Math.cos(lat) * Math.sin(lon), Math.sin(lat)], p)
      }
    }
    /** @type {Map<string, Float32Array>} */
    this.kept = new Map()
    /** The decoded state of no latent numbers. @type {Float32Array | null} */
    this.origin = null
  }

  /** Value of a pattern of the statistics in a cell. @param {number} k @param {number} cell */
  pattern(k, cell) {
    const own = this.shape.patterns, { patterns, scale } = this.decoder.parts
    if (k < own) return scale[k] * patterns[k * this.cells + cell]
    return this.parts.step[k - own] * this.parts.further[(k - own) * this.cells + cell]
  }

  /** Distance of two cells, km. @param {number} a @param {number} b */
  distance(a, b) {
    const p = 3 * (a % this.size), q = 3 * (b % this.size), { points } = this
    const cosine = points[p] * points[q] + points[p + 1] * points[q + 1] + points[p + 2] * points[q + 2]
    return EARTH_RADIUS_KM * Math.acos(Math.min(Math.max(cosine, -1), 1))
  }

  /** Covariance of every cell with one, (cells,). @param {number} cell @param {number} fraction */
  column(cell, fraction) {
    const name = `${cell} ${fraction}`, known = this.kept.get(name)
    if (known) return known
    const { statistics, patterns: own } = this.shape, { left, past, leftover, further, step } = this.parts
    const { patterns, scale } = this.decoder.parts, here = new Float64Array(statistics)
    for (let k = 0; k < statistics; k++) here[k] = this.pattern(k, cell)
    const out = new Float32Array(this.cells)
    for (let k = 0; k < statistics; k++) {
      let amount = 0
      for (let m = 0; m < statistics; m++) {
        const at = k * statistics + m
        amount += (fraction * left[at] + (1 - fraction) * past[at]) * here[m]
      }
      amount *= k < own ? scale[k] : step[k - own]
      const bytes = k < own ? patterns : further, from = (k < own ? k : k - own) * this.cells
      for (let p = 0; p < this.cells; p++) out[p] += amount * bytes[from + p]
    }
    const root = Math.sqrt(leftover[cell]), mine = Math.floor(cell / this.size)
    for (let q = 0; q < this.size; q++) {
      const far = this.distance(cell, q), near = taper(far / LEFTOVER_HALF_WIDTH_KM)
      const by = taper(far / this.shape.halfWidth)
      for (let v = 0; v < this.shape.variables; v++) {
        const p = v * this.size + q
        out[p] *= by
        if (v === mine) out[p] += near * root * Math.sqrt(leftover[p])
      }
    }
    if (this.kept.size > 500) this.kept.clear()
    this.kept.set(name, out)
    return out
  }

  /**
   * Analyse, yielding after each step of the minimisation what is known; the last has the whole analysis.
   * @param {Observation[]} observations
   * @returns {Generator<{ z: Float64Array, cost: number, step: number, converged: boolean, done: boolean,
   *   x?: Float32Array, sd?: Float32Array }>}
   */
  * run(observations) {
    const { latents, hybrid } = this.shape, { jacobian, slopes } = this.parts, n = observations.length
    const fraction = share(hybrid, new Set(observations.map(({ cell }) => cell % this.size)).size)
    const turn = Math.sqrt(Math.max(fraction, LEAST_FRACTION))
    const columns = observations.map(({ cell }) => this.column(cell, fraction))
    const variance = observations.map(({ sd }) => Math.max(sd, LEAST_ERROR) ** 2)
    const root = new Float64Array(n * n)
    observations.forEach(({ cell }, i) => {
      for (let j = 0; j <= i; j++) root[i * n + j] = columns[j][cell] + (i === j ? variance[i] : 0)
    })
    if (!cholesky(root, n)) throw new Error("The errors of these observations do not fit together; raise one.")
    const seen = new Float64Array(n * latents)
    observations.forEach(({ cell }, i) => {
      for (let l = 0; l < latents; l++) seen[i * latents + l] = turn * slopes[l] * jacobian[l * this.cells + cell]
    })
    solveRoot(root, n, seen, latents)
    const hessian = transposedTimes(seen, seen, n, latents, latents)
    for (let l = 0; l < latents; l++) hessian[l * latents + l] += 1
    cholesky(hessian, latents)
    const precondition = (/** @type {Float64Array} */ g) => {
      const out = g.slice()
      solveRoot(hessian, latents, out, 1)
      solveRoot(hessian, latents, out, 1, true)
      return out
    }
    this.origin ??= this.decoder.decode(new Float64Array(latents)).x
    const { origin } = this
    const white = Float64Array.from(observations, ({ cell, value }) => value - origin[cell])
    solveRoot(root, n, white, 1)
    const start = precondition(transposedTimes(seen, white, n, latents, 1))
    /** What was fitted last, and of which point. @type {{ zeta: Float64Array | null, x: Float32Array, left: Float64Array }} */
    let last = { zeta: null, x: origin, left: white }
    const fit = (/** @type {Float64Array} */ zeta) => {
      const { x, pull } = this.decoder.decode(zeta.map((v) => turn * v))
      const left = Float64Array.from(observations, ({ cell, value }) => value - x[cell])
      const weighed = solveRoot(root, n, left.slice(), 1)
      const cost = 0.5 * dot(zeta, zeta) + 0.5 * dot(weighed, weighed)
      solveRoot(root, n, weighed, 1, true)
      const dx = new Float32Array(this.cells)
      observations.forEach(({ cell }, i) => { dx[cell] -= weighed[i] })
      const gradient = pull(dx).map((v, l) => turn * v + zeta[l])
      last = { zeta, x, left }
      return { cost, gradient }
    }
    /** @type {{ x: Float64Array, cost: number, step: number, converged: boolean }} */
    let at = { x: start, cost: 0, step: 0, converged: false }
    for (at of minimise(fit, start, precondition)) {
      yield { z: at.x.map((v) => turn * v), cost: at.cost, step: at.step, converged: at.converged, done: false }
    }
    // A search that found no way down ends at the point before its last trial.
    if (last.zeta !== at.x) fit(at.x)
    const weights = solveRoot(root, n, last.left.slice(), 1)
    solveRoot(root, n, weights, 1, true)
    const x = last.x.slice()
    columns.forEach((column, i) => {
      for (let p = 0; p < x.length; p++) x[p] += weights[i] * column[p]
    })
    const sd = this.spread(columns, root, seen, hessian, fraction, turn)
    yield { z: at.x.map((v) => turn * v), cost: at.cost, step: at.step, converged: at.converged, done: true, x, sd }
  }

  /** Standard deviation of the analysis error, (cells,): in blocks of cells.
   * @param {Float32Array[]} columns @param {Float64Array} root @param {Float64Array} seen @param {Float64Array} hessian
   * @param {number} fraction @param {number} turn */
  spread(columns, root, seen, hessian, fraction, turn) {
    const { latents } = this.shape, { jacobian, slopes, varianceLeft, variancePast, leftover } = this.parts
    const n = columns.length, out = new Float32Array(this.cells), WIDE = 256
    for (let first = 0; first < this.cells; first += WIDE) {
      const m = Math.min(WIDE, this.cells - first), white = new Float64Array(n * m), part = new Float64Array(latents * m)
      columns.forEach((column, i) => { white.set(column.subarray(first, first + m), i * m) })
      solveRoot(root, n, white, m)
      for (let l = 0; l < latents; l++) {
        for (let p = 0; p < m; p++) part[l * m + p] = turn * slopes[l] * jacobian[l * this.cells + first + p]
      }
      for (let i = 0; i < n; i++) {
        for (let l = 0; l < latents; l++) {
          const by = seen[i * latents + l]
          for (let p = 0; p < m; p++) part[l * m + p] -= by * white[i * m + p]
        }
      }
      solveRoot(hessian, latents, part, m)
      for (let p = 0; p < m; p++) {
        const at = first + p
        let total = fraction * varianceLeft[at] + (1 - fraction) * variancePast[at] + leftover[at]
        for (let i = 0; i < n; i++) total -= white[i * m + p] ** 2
        for (let l = 0; l < latents; l++) total += part[l * m + p] ** 2
        out[at] = Math.sqrt(Math.max(total, 1e-6))
      }
    }
    return out
  }
}
