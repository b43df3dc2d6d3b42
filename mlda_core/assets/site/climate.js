// A calendar month of the climate: from standardised anomalies to those in display units, and back.
import { Decoder } from "./network.js"

/** What of a file of the decoder belongs to a calendar month. @param {Record<string, any>} parts @param {number} month */
export function ofMonth(parts, month) {
  const head = `${month}/`
  return Object.fromEntries(Object.entries(parts).flatMap(([name, values]) => {
    if (name.startsWith(head)) return [[name.slice(head.length), values]]
    return /^\d+\//.test(name) ? [] : [[name, values]]
  }))
}

export class Climate {
  /** @param {any} about site.json @param {Record<string, any>} parts Of the file of the decoder. @param {number} month */
  constructor(about, parts, month) {
    const own = ofMonth(parts, month)
    this.about = about
    this.parts = own
    this.decoder = new Decoder(about.shape, own)
    this.size = about.shape.lat * about.shape.lon
  }

  /**
   * Anomalies in display units: the mean over a normal distribution of a standard deviation, or of the state alone.
   * @param {Float32Array} x Standardised, (cells,). @param {Float32Array | null} sd
   */
  anomalies(x, sd) {
    const { variables, nodes } = this.about, { climatology, centre, spread, mask } = this.parts
    const out = new Float32Array(x.length)
    variables.forEach((/** @type {any} */ { power }, /** @type {number} */ v) => {
      const square = power === 0.5
      for (let p = v * this.size; p < (v + 1) * this.size; p++) {
        if (!mask[p]) { out[p] = Number.NaN; continue }
        let value = x[p] * spread[p] + centre[p]
        if (power) {
          const width = sd ? sd[p] * spread[p] : 0, middle = value
          value = 0
          for (const [node, weight] of width ? nodes : [[0, 1]]) {
            const root = Math.max(middle + node * width, 0)
            value += weight * (square ? root * root : root ** (1 / power))
          }
        }
        out[p] = value - climatology[p]
      }
    })
    return out
  }

  /** An anomaly in display units, standardised. @param {number} value @param {number} cell */
  standardised(value, cell) {
    const { climatology, centre, spread } = this.parts
    const { power } = this.about.variables[Math.floor(cell / this.size)]
    const full = climatology[cell] + value
    return ((power ? Math.max(full, 0) ** power : full) - centre[cell]) / spread[cell]
  }

  /** Root mean square difference of two states and the share of the first's variance that the second explains, by
   * variable, weighted by area. @param {Float32Array} target @param {Float32Array} model */
  scores(target, model) {
    const { variables, shape } = this.about
    return variables.map((/** @type {any} */ { area }, /** @type {number} */ v) => {
      let wrong = 0, all = 0
      for (let i = 0, p = v * this.size; i < shape.lat; i++) {
        for (let j = 0; j < shape.lon; j++, p++) {
          if (!this.parts.mask[p]) continue
          wrong += area[i] * (model[p] - target[p]) ** 2
          all += area[i] * target[p] ** 2
        }
      }
      return { rmse: Math.sqrt(wrong), explained: 1 - wrong / all }
    })
  }
}
