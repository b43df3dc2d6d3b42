// The maps under a hand that drags a latent slider, between two frames of the server: the last frame, and how far the
// hand has gone since times the slope of each pixel (app/maps/slopes.py). The next frame replaces it.
window.mldaPreview = (() => {
  // Palette indices: missing is 0, off the globe 255.
  const LEAST = 1, MOST = 254
  // From then on numbers and scatters, which the server alone makes, are shown as those of another state.
  const LATE_MS = 500
  let slope = null, hand = null, at = null, waits = 0, maps = [], late = 0
  // What the server's frame had in the maps that show a preview, and where on the scale that is.
  const exact = new Map()
  const bytes = (image) => new Uint8Array(image.buffer, image.byteOffset, image.byteLength)
  const showLate = () => { document.documentElement.toggleAttribute("data-late", true) }
  const inTime = () => {
    clearTimeout(late)
    late = 0
    document.documentElement.toggleAttribute("data-late", false)
  }
  const gone = () => hand && at && slope?.k === hand.k ? hand.value - at[hand.k] : 0
  // A pixel at an end of the scale may lie far beyond it: as far as the value of its cell.
  const beyond = (levels, { cells, index }, low, perUnit) => {
    const out = Float32Array.from(levels), values = cells.data.model, nearest = index.data.image[0]
    for (let p = 0; p < out.length; p++) {
      if (out[p] !== LEAST && out[p] !== MOST) continue
      const there = (values[nearest[p]] - low) * perUnit + LEAST
      if (out[p] === MOST ? there > MOST : there < LEAST) out[p] = there
    }
    return out
  }
  // Write the preview, or the frame again, into the maps; whether they were written to.
  const fill = () => {
    const by = gone()
    if (by === 0 && exact.size === 0) return false
    maps.forEach((map, i) => {
      const shown = bytes(map.image.data.image[0])
      let frame = exact.get(map.image)
      if (!frame) {
        frame = { levels: shown.slice(), scale: null }
        exact.set(map.image, frame)
      }
      if (by === 0) { shown.set(frame.levels); return }
      frame.scale ??= beyond(frame.levels, map, slope.lows[i], slope.per_unit[i])
      const { levels, scale } = frame, start = i * shown.length, rate = by * slope.scales[i], { rates } = slope
      for (let p = 0; p < shown.length; p++) {
        if (levels[p] < LEAST || levels[p] > MOST) continue
        shown[p] = Math.max(LEAST, Math.min(MOST, Math.round(scale[p] + rate * rates[start + p])))
      }
    })
    if (by === 0) { exact.clear(); inTime() } else if (!late) late = setTimeout(showLate, LATE_MS)
    return true
  }
  const draw = () => {
    waits = 0
    if (fill()) for (const { image } of maps) image.change.emit()
  }
  const soon = () => { if (!waits) waits = requestAnimationFrame(draw) }
  return {
    /** Take the slope of one latent, or null where none holds any more, and the maps that it is of. */
    learn(given, drawn) {
      slope = given
      maps = drawn
      if (!given) hand = null
      soon()
    },
    /** The server wrote its frame of these latents into these sources; the hand may be further. */
    written(sources, z) {
      for (const source of sources) exact.delete(source)
      at = z
      inTime()
      fill()
    },
    /** The hand has a latent at a value. */
    move(k, value) {
      hand = { k, value }
      if (slope?.k === k) soon()
    },
    /** Everything is answered: what the server drew is shown. */
    release() {
      hand = null
      if (exact.size) soon()
    },
  }
})()
