// Dense matrices of a few hundred rows, row after row in a Float64Array: factors, solutions, a minimisation.

/**
 * Lower triangular root of a positive definite matrix, in place.
 * @param {Float64Array} a n x n, of which the lower triangle is read and written. @param {number} n
 * @returns {boolean} Whether it is positive definite.
 */
export function cholesky(a, n) {
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = a[i * n + j]
      for (let k = 0; k < j; k++) sum -= a[i * n + k] * a[j * n + k]
      if (i > j) a[i * n + j] = sum / a[j * n + j]
      else if (sum > 0) a[j * n + j] = Math.sqrt(sum)
      else return false
    }
  }
  return true
}

/**
 * Solve root x = b for each column of b, in place; or the transposed root.
 * @param {Float64Array} root n x n, lower. @param {number} n
 * @param {Float64Array | Float32Array} b n x m @param {number} m @param {boolean} [transposed]
 */
export function solveRoot(root, n, b, m, transposed = false) {
  for (let step = 0; step < n; step++) {
    const i = transposed ? n - 1 - step : step, own = root[i * n + i]
    for (let k = transposed ? i + 1 : 0; k < (transposed ? n : i); k++) {
      const by = transposed ? root[k * n + i] : root[i * n + k]
      if (by !== 0) for (let c = 0; c < m; c++) b[i * m + c] -= by * b[k * m + c]
    }
    for (let c = 0; c < m; c++) b[i * m + c] /= own
  }
  return b
}

/** The product of the transposed of a (n x m) with b (n x q), m x q.
 * @param {Float64Array} a @param {Float64Array} b @param {number} n @param {number} m @param {number} q */
export function transposedTimes(a, b, n, m, q) {
  const out = new Float64Array(m * q)
  for (let r = 0; r < n; r++) {
    for (let i = 0; i < m; i++) {
      const by = a[r * m + i]
      for (let j = 0; j < q; j++) out[i * q + j] += by * b[r * q + j]
    }
  }
  return out
}

/** @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
export function dot(a, b) {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

// As mlda_core/assimilation/solver.py, whose minimum this has to be.
const TOLERANCE = 1e-5, MEMORY = 8, ARMIJO = 1e-4, MOST_STEPS = 50

/**
 * Minimise by preconditioned L-BFGS (Nocedal and Wright 2006, algorithm 7.4), yielding each point.
 * @param {(x: Float64Array) => { cost: number, gradient: Float64Array }} fit
 * @param {Float64Array} start @param {(g: Float64Array) => Float64Array} precondition
 * @returns {Generator<{ x: Float64Array, cost: number, step: number, converged: boolean }>}
 */
export function* minimise(fit, start, precondition) {
  /** @type {{ s: Float64Array, y: Float64Array }[]} */
  const pairs = []
  let x = start, { cost, gradient } = fit(x)
  for (let step = 0; ; step++) {
    const q = gradient.slice(), taken = []
    for (const { s, y } of pairs.toReversed()) {
      const alpha = dot(s, q) / dot(s, y)
      for (let i = 0; i < q.length; i++) q[i] -= alpha * y[i]
      taken.unshift(alpha)
    }
    const direction = precondition(q)
    pairs.forEach(({ s, y }, k) => {
      const by = taken[k] - dot(y, direction) / dot(s, y)
      for (let i = 0; i < q.length; i++) direction[i] += s[i] * by
    })
    for (let i = 0; i < q.length; i++) direction[i] = -direction[i]
    const promised = -0.5 * dot(direction, gradient)
    const converged = promised <= TOLERANCE * Math.max(cost, 1)
    yield { x, cost, step, converged }
    if (converged || step === MOST_STEPS) return
    let length = 1, next = null
    for (let tries = 0; tries < 20 && !next; tries++, length /= 2) {
      const trial = x.map((v, i) => v + length * direction[i]), found = fit(trial)
      if (found.cost <= cost - ARMIJO * length * 2 * promised) next = { trial, ...found }
    }
    if (!next) return
    const s = next.trial.map((v, i) => v - x[i]), y = next.gradient.map((v, i) => v - gradient[i])
    if (dot(s, y) > 1e-10 * Math.sqrt(dot(s, s) * dot(y, y))) pairs.push({ s, y })
    if (pairs.length > MEMORY) pairs.shift()
    x = next.trial
    cost = next.cost
    gradient = next.gradient
  }
}
