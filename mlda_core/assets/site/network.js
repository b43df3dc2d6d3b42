// The decoder (mlda_core/vae/networks.py): a linear map and a small U-Net on the sphere, one state at a time. Each step
// returns what it made and a function that pulls a derivative by it back to one by what it was given.

const GROUPS = 4, EPSILON = 1e-5

/** @typedef {{ c: number, h: number, w: number, v: Float32Array }} Field Channels of maps, south first. */
/** @typedef {{ y: Field, pull: (dy: Field) => Field }} Step */
/** @typedef {{ weight: Float32Array, bias: Float32Array, inputs: number, outputs: number }} Kernel */

/** @param {number} c @param {number} h @param {number} w @returns {Field} */
const field = (c, h, w) => ({ c, h, w, v: new Float32Array(c * h * w) })

/** Add the row beyond each pole, which is the outermost one turned by half the globe, and the columns beyond the seam.
 * @param {Field} x @param {boolean} periodic @returns {Field} */
function padded(x, periodic) {
  const { c, h, w } = x, out = field(c, h + 2, w + 2), half = w >> 1
  for (let k = 0; k < c; k++) {
    for (let i = -1; i <= h; i++) {
      const beyond = i < 0 || i === h, from = (k * h + Math.min(Math.max(i, 0), h - 1)) * w
      const to = (k * (h + 2) + i + 1) * (w + 2) + 1, turn = beyond && periodic ? w - half : 0
      for (let j = -1; j <= w; j++) {
        const at = periodic ? (j + w + turn) % w : Math.min(Math.max(j, 0), w - 1)
        out.v[to + j] = x.v[from + at]
      }
    }
  }
  return out
}

/** What padding does, the other way: what went to the rim comes back to where it was from.
 * @param {Field} d @param {boolean} periodic @returns {Field} */
function unpadded(d, periodic) {
  const c = d.c, h = d.h - 2, w = d.w - 2, out = field(c, h, w), half = w >> 1
  for (let k = 0; k < c; k++) {
    for (let i = -1; i <= h; i++) {
      const beyond = i < 0 || i === h, to = (k * h + Math.min(Math.max(i, 0), h - 1)) * w
      const from = (k * (h + 2) + i + 1) * (w + 2) + 1, turn = beyond && periodic ? w - half : 0
      for (let j = -1; j <= w; j++) {
        const at = periodic ? (j + w + turn) % w : Math.min(Math.max(j, 0), w - 1)
        out.v[to + at] += d.v[from + j]
      }
    }
  }
  return out
}

/** @param {Field} x @param {Kernel} kernel @param {boolean} periodic @returns {Step} */
function convolution(x, kernel, periodic) {
  const { weight, bias, inputs, outputs } = kernel, { h, w } = x
  const wide = padded(x, periodic), y = field(outputs, h, w), W = w + 2
  for (let o = 0; o < outputs; o++) {
    const out = y.v.subarray(o * h * w, (o + 1) * h * w).fill(bias[o])
    for (let k = 0; k < inputs; k++) {
      const g = (o * inputs + k) * 9
      const a = weight[g], b = weight[g + 1], c = weight[g + 2], d = weight[g + 3], e = weight[g + 4]
      const f = weight[g + 5], p = weight[g + 6], q = weight[g + 7], r = weight[g + 8]
      for (let i = 0; i < h; i++) {
        let at = (k * (h + 2) + i) * W
        for (let to = i * w, end = to + w; to < end; to++, at++) {
          out[to] += a * wide.v[at] + b * wide.v[at + 1] + c * wide.v[at + 2]
            + d * wide.v[at + W] + e * wide.v[at + W + 1] + f * wide.v[at + W + 2]
            + p * wide.v[at + 2 * W] + q * wide.v[at + 2 * W + 1] + r * wide.v[at + 2 * W + 2]
        }
      }
    }
  }
  return {
    y,
    pull(dy) {
      const back = field(inputs, h + 2, W)
      // Each derivative goes to the nine cells that it was made of: the same kernel, turned round.
      const rim = { c: outputs, h: h + 4, w: w + 4, v: new Float32Array(outputs * (h + 4) * (w + 4)) }
      for (let o = 0; o < outputs; o++) {
        for (let i = 0; i < h; i++) {
          const row = dy.v.subarray((o * h + i) * w, (o * h + i + 1) * w)
          rim.v.set(row, (o * (h + 4) + i + 2) * (w + 4) + 2)
        }
      }
      const R = w + 4
      for (let k = 0; k < inputs; k++) {
        const out = back.v.subarray(k * (h + 2) * W, (k + 1) * (h + 2) * W)
        for (let o = 0; o < outputs; o++) {
          const g = (o * inputs + k) * 9
          const a = weight[g + 8], b = weight[g + 7], c = weight[g + 6], d = weight[g + 5], e = weight[g + 4]
          const f = weight[g + 3], p = weight[g + 2], q = weight[g + 1], r = weight[g]
          for (let i = 0; i < h + 2; i++) {
            let at = (o * (h + 4) + i) * R
            for (let to = i * W, end = to + W; to < end; to++, at++) {
              out[to] += a * rim.v[at] + b * rim.v[at + 1] + c * rim.v[at + 2]
                + d * rim.v[at + R] + e * rim.v[at + R + 1] + f * rim.v[at + R + 2]
                + p * rim.v[at + 2 * R] + q * rim.v[at + 2 * R + 1] + r * rim.v[at + 2 * R + 2]
            }
          }
        }
      }
      return unpadded(back, periodic)
    },
  }
}

/** Channels of the four cells of each two by two, on half the grid.
 * @param {Field} x @returns {Field} */
function unshuffled(x) {
  const { c, h, w } = x, out = field(4 * c, h >> 1, w >> 1)
  for (let k = 0; k < c; k++) {
    for (let i = 0; i < h; i++) {
      const to = ((4 * k + 2 * (i & 1)) * (h >> 1) + (i >> 1)) * (w >> 1), step = (h >> 1) * (w >> 1)
      for (let j = 0; j < w; j++) out.v[to + (j & 1) * step + (j >> 1)] = x.v[(k * h + i) * w + j]
    }
  }
  return out
}

/** @param {Field} x @returns {Field} */
function shuffled(x) {
  const c = x.c >> 2, h = 2 * x.h, w = 2 * x.w, out = field(c, h, w)
  for (let k = 0; k < c; k++) {
    for (let i = 0; i < h; i++) {
      const from = ((4 * k + 2 * (i & 1)) * x.h + (i >> 1)) * x.w, step = x.h * x.w
      for (let j = 0; j < w; j++) out.v[(k * h + i) * w + j] = x.v[from + (j & 1) * step + (j >> 1)]
    }
  }
  return out
}

/** Each cell four times, on twice the grid. @param {Field} x @returns {Field} */
function doubled(x) {
  const out = field(x.c, 2 * x.h, 2 * x.w)
  for (let k = 0; k < x.c; k++) {
    for (let i = 0; i < out.h; i++) {
      for (let j = 0; j < out.w; j++) {
        out.v[(k * out.h + i) * out.w + j] = x.v[(k * x.h + (i >> 1)) * x.w + (j >> 1)]
      }
    }
  }
  return out
}

/** @param {Field} d @returns {Field} */
function halved(d) {
  const out = field(d.c, d.h >> 1, d.w >> 1)
  for (let k = 0; k < d.c; k++) {
    for (let i = 0; i < d.h; i++) {
      for (let j = 0; j < d.w; j++) {
        out.v[(k * out.h + (i >> 1)) * out.w + (j >> 1)] += d.v[(k * d.h + i) * d.w + j]
      }
    }
  }
  return out
}

/** @param {Field} a @param {Field} b @returns {Field} */
function stacked(a, b) {
  const out = field(a.c + b.c, a.h, a.w)
  out.v.set(a.v)
  out.v.set(b.v, a.v.length)
  return out
}

/** @param {Field} x @param {number} first @param {number} c @returns {Field} */
const channels = (x, first, c) => {
  const size = x.h * x.w
  return { c, h: x.h, w: x.w, v: x.v.slice(first * size, (first + c) * size) }
}

/**
 * Convolution, normalised by groups of channels, scaled and shifted by the month, then SiLU; what came in is added
 * where it has as many channels.
 * @param {Field} x @param {any} block Kernel, norm and the month's scale and shift. @param {boolean} periodic
 * @returns {Step}
 */
function monthBlock(x, block, periodic) {
  const { y: made, pull } = convolution(x, block, periodic), size = made.h * made.w
  const many = (made.c / GROUPS) * size, y = field(made.c, made.h, made.w)
  const normal = new Float32Array(made.v.length), roots = new Float64Array(GROUPS)
  for (let g = 0; g < GROUPS; g++) {
    const part = made.v.subarray(g * many, (g + 1) * many)
    let mean = 0, square = 0
    for (const v of part) mean += v
    mean /= many
    for (const v of part) square += (v - mean) * (v - mean)
    roots[g] = 1 / Math.sqrt(square / many + EPSILON)
    for (let p = 0; p < many; p++) normal[g * many + p] = (part[p] - mean) * roots[g]
  }
  const slope = new Float32Array(made.v.length)
  const residual = block.inputs === block.outputs
  for (let k = 0; k < made.c; k++) {
    const gain = block.gain[k] * (1 + block.scale[k])
    const shift = block.offset[k] * (1 + block.scale[k]) + block.shift[k]
    for (let p = k * size; p < (k + 1) * size; p++) {
      const a = normal[p] * gain + shift, s = 1 / (1 + Math.exp(-a))
      y.v[p] = a * s + (residual ? x.v[p] : 0)
      slope[p] = s * (1 + a * (1 - s)) * gain
    }
  }
  return {
    y,
    pull(dy) {
      const back = field(made.c, made.h, made.w)
      for (let g = 0; g < GROUPS; g++) {
        let mean = 0, along = 0
        for (let p = g * many; p < (g + 1) * many; p++) {
          const d = dy.v[p] * slope[p]
          back.v[p] = d
          mean += d
          along += d * normal[p]
        }
        mean /= many
        along /= many
        for (let p = g * many; p < (g + 1) * many; p++) back.v[p] = (back.v[p] - mean - normal[p] * along) * roots[g]
      }
      const dx = pull(back)
      if (residual) for (let p = 0; p < dx.v.length; p++) dx.v[p] += dy.v[p]
      return dx
    },
  }
}

/** Make both sides a multiple of four, as the refining network wants them.
 * @param {Field} x @param {boolean} periodic @returns {Field} */
function extended(x, periodic) {
  const h = Math.ceil(x.h / 4) * 4, w = Math.ceil(x.w / 4) * 4
  if (h === x.h && w === x.w) return x
  const out = field(x.c, h, w)
  for (let k = 0; k < x.c; k++) {
    for (let i = 0; i < h; i++) {
      for (let j = 0; j < w; j++) {
        const at = j < x.w ? j : periodic ? j - x.w : x.w - 1
        out.v[(k * h + i) * w + j] = x.v[(k * x.h + Math.min(i, x.h - 1)) * x.w + at]
      }
    }
  }
  return out
}

/** @param {Field} d @param {number} h0 @param {number} w0 @param {boolean} periodic @returns {Field} */
function cropped(d, h0, w0, periodic) {
  if (d.h === h0 && d.w === w0) return d
  const out = field(d.c, h0, w0)
  for (let k = 0; k < d.c; k++) {
    for (let i = 0; i < d.h; i++) {
      for (let j = 0; j < d.w; j++) {
        const at = j < w0 ? j : periodic ? j - w0 : w0 - 1
        out.v[(k * h0 + Math.min(i, h0 - 1)) * w0 + at] += d.v[(k * d.h + i) * d.w + j]
      }
    }
  }
  return out
}

/**
 * A decoder of one calendar month.
 *
 * Its parts are typed arrays by their names in the bundle; `shape` has the number of variables, latitudes and
 * longitudes, latents and patterns, and whether the grid goes round the globe.
 */
export class Decoder {
  /** @param {any} shape @param {Record<string, Float32Array | Int8Array | Uint8Array>} parts */
  constructor(shape, parts) {
    this.shape = shape
    this.parts = parts
    const net = (/** @type {string} */ name) => /** @type {Float32Array} */ (parts[`refiner.${name}`])
    const kernel = (/** @type {string} */ name) => {
      const weight = net(`${name}.weight`), bias = net(`${name}.bias`)
      return { weight, bias, outputs: bias.length, inputs: weight.length / (9 * bias.length) }
    }
    const block = (/** @type {string} */ name) => {
      const film = net(`${name}.film`), own = kernel(`${name}.conv.conv`), c = own.outputs
      return {
        ...own, gain: net(`${name}.norm.weight`), offset: net(`${name}.norm.bias`),
        scale: film.subarray(0, c), shift: film.subarray(c),
      }
    }
    this.enter = block("enter")
    this.down = block("down")
    this.deep = block("deep")
    this.up = block("up")
    this.leave = kernel("leave.conv")
  }

  /** The linear part, (cells,). @param {ArrayLike<number>} z @returns {Float32Array} */
  linear(z) {
    const { latents, patterns } = this.shape, { scale, mixing, patterns: bytes } = this.parts
    const out = new Float32Array(bytes.length / patterns), cells = out.length
    for (let k = 0; k < patterns; k++) {
      let amount = 0
      for (let l = 0; l < latents; l++) amount += mixing[k * latents + l] * z[l]
      amount *= scale[k]
      const row = bytes.subarray(k * cells, (k + 1) * cells)
      for (let p = 0; p < cells; p++) out[p] += amount * row[p]
    }
    return out
  }

  /**
   * Decode a latent vector: standardised anomalies (cells,), and the pull of a derivative by them to one by z.
   * @param {ArrayLike<number>} z
   * @returns {{ x: Float32Array, pull: (dx: Float32Array) => Float64Array }}
   */
  decode(z) {
    const { variables, lat, lon, latents, patterns, periodic } = this.shape, { mask, position } = this.parts
    const straight = this.linear(z)
    const whole = extended({ c: variables, h: lat, w: lon, v: straight }, periodic)
    const fine = unshuffled(whole), places = position.length / (fine.h * fine.w)
    const where = { c: places, h: fine.h, w: fine.w, v: /** @type {Float32Array} */ (position) }
    const enter = monthBlock(stacked(fine, where), this.enter, periodic)
    const down = monthBlock(unshuffled(enter.y), this.down, periodic)
    const deep = monthBlock(down.y, this.deep, periodic)
    const up = monthBlock(stacked(doubled(deep.y), enter.y), this.up, periodic)
    const leave = convolution(up.y, this.leave, periodic)
    const bent = shuffled(leave.y), x = new Float32Array(straight.length)
    for (let v = 0, p = 0; v < variables; v++) {
      for (let i = 0; i < lat; i++) {
        for (let j = 0; j < lon; j++, p++) {
          x[p] = mask[p] ? straight[p] + bent.v[(v * bent.h + i) * bent.w + j] : 0
        }
      }
    }
    const pull = (/** @type {Float32Array} */ dx) => {
      const seen = dx.map((d, p) => (mask[p] ? d : 0)), back = field(variables, bent.h, bent.w)
      for (let v = 0, p = 0; v < variables; v++) {
        for (let i = 0; i < lat; i++) {
          for (let j = 0; j < lon; j++, p++) back.v[(v * bent.h + i) * bent.w + j] = seen[p]
        }
      }
      const dUp = up.pull(leave.pull(unshuffled(back)))
      const dDeep = halved(channels(dUp, 0, deep.y.c))
      const dEnter = shuffled(down.pull(deep.pull(dDeep)))
      const rest = channels(dUp, deep.y.c, enter.y.c)
      for (let p = 0; p < rest.v.length; p++) dEnter.v[p] += rest.v[p]
      const dFine = shuffled(channels(enter.pull(dEnter), 0, fine.c))
      const dLinear = cropped(dFine, lat, lon, periodic).v
      for (let p = 0; p < seen.length; p++) dLinear[p] += seen[p]
      const { scale, mixing, patterns: bytes } = this.parts, dz = new Float64Array(latents)
      for (let k = 0; k < patterns; k++) {
        const row = bytes.subarray(k * seen.length, (k + 1) * seen.length)
        let amount = 0
        for (let p = 0; p < seen.length; p++) amount += row[p] * dLinear[p]
        amount *= scale[k]
        for (let l = 0; l < latents; l++) dz[l] += mixing[k * latents + l] * amount
      }
      return dz
    }
    return { x, pull }
  }
}
