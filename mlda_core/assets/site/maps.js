// The maps: Bokeh's own document, into whose images fields are written.

export class Maps {
  /** @param {any} about @param {Uint16Array} cell Of each pixel, its nearest cell. @param {number} wide
   * @param {Float32Array} middle x, then y of the cells' centres */
  constructor(about, cell, wide, middle) {
    this.about = about
    this.middle = middle
    this.cell = cell
    this.wide = wide
    this.high = cell.length / wide
    /** The pixels on the globe. */
    this.on = Int32Array.from(cell.keys()).filter((p) => cell[p] !== about.outside)
    /** @type {Record<string, { plot: any, view: any }>} */
    this.drawn = {}
    /** @type {(values: Float32Array, options: any) => any} */
    this.image = (values) => values
  }

  /** Draw the document. @param {any} bokeh @param {any} given docs and items @param {(name: string, cell: number) => void} tapped */
  async open(bokeh, given, tapped) {
    this.image = bokeh.require("core/util/ndarray").ndarray
    const managers = await bokeh.embed.embed_items(given.docs, given.items)
    for (const manager of managers) {
      for (const view of manager.roots ?? [...manager]) {
        const plot = view.model
        this.drawn[plot.name] = { plot, view }
        view.el.addEventListener("click", (/** @type {MouseEvent} */ event) => {
          const at = this.cellAt(view, event)
          if (at !== null) tapped(plot.name, at)
        })
      }
    }
  }

  /** The cell under a pointer; null off the globe. @param {any} view @param {MouseEvent} event */
  cellAt(view, event) {
    const canvas = view.canvas_view ?? view, box = canvas.el.getBoundingClientRect(), { frame } = view
    const zoom = box.width / canvas.el.offsetWidth || 1
    const sx = (event.clientX - box.left) / zoom, sy = (event.clientY - box.top) / zoom
    if (!frame.bbox.contains(sx, sy)) return null
    const [x0, x1, y0, y1] = this.about.limits, x = frame.x_scale.invert(sx), y = frame.y_scale.invert(sy)
    const i = Math.floor(((x - x0) / (x1 - x0)) * this.wide), j = Math.floor(((y - y0) / (y1 - y0)) * this.high)
    if (i < 0 || i >= this.wide || j < 0 || j >= this.high) return null
    const at = this.cell[j * this.wide + i]
    return at === this.about.outside ? null : at
  }

  /** The source of a map, by what it holds. @param {string} kind @param {string} name */
  source(kind, name) {
    const { plot } = this.drawn[name]
    return plot.renderers.map((/** @type {any} */ r) => r.data_source)
      .find((/** @type {any} */ s) => s.name === `${kind}-${name}`)
  }

  /** Write a state into a column. @param {string} column @param {Float32Array} anomalies (cells,), display units */
  write(column, anomalies) {
    const size = anomalies.length / this.about.variables.length
    this.about.variables.forEach((/** @type {any} */ { name }, /** @type {number} */ v) => {
      const source = this.source("image", `${column}-${name}`), before = source.data.image[0]
      const fresh = before.length === this.cell.length ? before : new Float32Array(this.cell.length).fill(Number.NaN)
      const { on, cell } = this, from = v * size
      for (let i = 0; i < on.length; i++) fresh[on[i]] = anomalies[from + cell[on[i]]]
      if (fresh === before) source.change.emit()
      else source.data = { image: [this.image(fresh, { dtype: "float32", shape: [this.high, this.wide] })] }
    })
  }

  /** Mark observed cells on the maps of their variables. @param {{ variable: number, cell: number }[]} observations */
  mark(observations) {
    const size = this.about.shape.lat * this.about.shape.lon
    this.about.variables.forEach((/** @type {any} */ { name }, /** @type {number} */ v) => {
      /** @type {number[]} */
      const x = [], y = []
      for (const { cell } of observations.filter((one) => one.variable === v)) {
        x.push(this.middle[cell % size])
        y.push(this.middle[size + (cell % size)])
      }
      for (const column of Object.keys(this.about.columns)) {
        const source = this.source("marks", `${column}-${name}`), { plot, view } = this.drawn[`${column}-${name}`]
        const glyph = plot.renderers.find((/** @type {any} */ r) => r.data_source === source).glyph
        glyph.size = { value: view.el.offsetWidth < 260 ? 4 : 7 }
        source.data = { x, y }
      }
    })
  }
}
