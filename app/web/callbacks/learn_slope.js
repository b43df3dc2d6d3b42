// See linear_preview.js.
const { k, rates, scales, lows, per_unit } = slope.data
const learnt = k.length
  ? { k: k[0], rates: rates[0], scales: scales[0], lows: lows[0], per_unit: per_unit[0] } : null
window.mldaPreview?.learn(learnt, images.map((image, i) => ({ image, cells: cells[i], index })))
