// What a link holds: the month, the latent numbers that are not 0, and observations. Read, never run.

/** @typedef {{ variable: number, cell: number, value: number }} Observation cell of the flattened state */
/** @typedef {{ month: string, z: Float64Array, observations: Observation[] }} State */

/** Largest latent number and most observations of a page. */
export const MOST_Z = 6, MOST_OBSERVATIONS = 300

/** @param {State} state @param {any} about */
export function written({ month, z, observations }, about) {
  const within = (/** @type {number} */ v) => Math.min(Math.max(v, -MOST_Z), MOST_Z)
  const numbers = [...z].flatMap((v, k) => (Math.abs(v) < 5e-4 ? [] : [`${k}:${Number(within(v).toFixed(3))}`]))
  const seen = observations.map(({ variable, cell, value }) => {
    const { name, decimals } = about.variables[variable], size = about.shape.lat * about.shape.lon
    return `${name}:${cell - variable * size}:${Number(value.toFixed(decimals + 2))}`
  })
  const parts = [`month=${month}`]
  if (numbers.length) parts.push(`z=${numbers.join(",")}`)
  if (seen.length) parts.push(`obs=${seen.join(",")}`)
  return `#${parts.join("&")}`
}

/**
 * The state of a link; what of it is not understood is said, and left out.
 * @param {string} hash @param {any} about @param {Uint8Array} mask
 * @returns {{ state: State, problem: string }}
 */
export function read(hash, about, mask) {
  const given = new URLSearchParams(hash.replace(/^#/, "")), { latents, lat, lon } = about.shape, size = lat * lon
  /** @type {State} */
  const state = { month: about.first, z: new Float64Array(latents), observations: [] }
  const wrong = []
  const month = given.get("month")
  if (month !== null) {
    if (about.months.some((/** @type {any} */ m) => m.label === month)) state.month = month
    else wrong.push(`the month ${month.slice(0, 20)}, which this page has not`)
  }
  for (const part of (given.get("z") ?? "").split(",").filter(Boolean)) {
    const [k, v] = part.split(":").map((text) => (text === "" ? Number.NaN : Number(text)))
    if (Number.isInteger(k) && k >= 0 && k < latents && Math.abs(v) <= MOST_Z) state.z[k] = v
    else wrong.push(`the latent number ${part.slice(0, 20)}`)
  }
  for (const part of (given.get("obs") ?? "").split(",").filter(Boolean).slice(0, MOST_OBSERVATIONS)) {
    const [name, at, v] = part.split(":"), cell = at === "" ? Number.NaN : Number(at), value = Number(v)
    const variable = about.variables.findIndex((/** @type {any} */ one) => one.name === name)
    const good = variable >= 0 && Number.isInteger(cell) && cell >= 0 && cell < size && v !== "" && Number.isFinite(value)
    const known = state.observations.some((one) => one.cell === variable * size + cell)
    if (good && !known && mask[variable * size + cell]) state.observations.push({ variable, cell: variable * size + cell, value })
    else wrong.push(`the observation ${part.slice(0, 30)}`)
  }
  return { state, problem: wrong.length ? `The link has ${wrong[0]}; it is left out.` : "" }
}

/** Numbers of a seed, even in 0..1 (mulberry32). @param {number} seed */
export function random(seed) {
  let a = seed >>> 0
  return () => {
    a = (a + 0x6d2b79f5) >>> 0
    let t = Math.imul(a ^ (a >>> 15), a | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** A draw of N(0, 1). @param {() => number} draw */
export const normal = (draw) => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw())
