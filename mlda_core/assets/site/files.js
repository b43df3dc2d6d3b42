// Binary files of typed arrays, as mlda_core/plotting/site/arrays.py writes them.

/** @type {Record<string, any>} */
const KINDS = { int8: Int8Array, uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array }

/** Numbers of half precision from their bits: not every browser has a Float16Array. @param {Uint16Array} bits */
export function halves(bits) {
  return Float32Array.from(bits, (b) => {
    const sign = b & 0x8000 ? -1 : 1, exponent = (b >> 10) & 31, fraction = b & 1023
    if (exponent === 0) return sign * fraction * 2 ** -24
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
  })
}

/**
 * The arrays of a file, by name.
 * @param {ArrayBuffer} buffer @param {Record<string, { at: number, shape: number[], kind: string }>} arrays
 */
export function unpacked(buffer, arrays) {
  /** @type {Record<string, any>} */
  const out = {}
  for (const [name, { at, shape, kind }] of Object.entries(arrays)) {
    const count = shape.reduce((a, b) => a * b, 1)
    out[name] = kind === "float16"
      ? halves(new Uint16Array(buffer, at, count)) : new KINDS[kind](buffer, at, count)
  }
  return out
}

/**
 * Fetch a file and read its arrays.
 * @param {{ file: string, size: number, arrays: any }} entry @param {(bytes: number) => void} [tell]
 */
export async function fetched(entry, tell = () => {}) {
  const answer = await fetch(entry.file).catch(() => {
    throw new Error(`${entry.file} cannot be read; check the connection, and try again.`)
  })
  if (!answer.ok || !answer.body) throw new Error(`${entry.file} cannot be read; copy the whole folder to the host again.`)
  const bytes = new Uint8Array(entry.size), reader = answer.body.getReader()
  let at = 0
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (at + part.value.length > entry.size) break
    bytes.set(part.value, at)
    at += part.value.length
    tell(part.value.length)
  }
  if (at !== entry.size) throw new Error(`${entry.file} has another size than it should; copy the folder to the host again.`)
  return unpacked(bytes.buffer, entry.arrays)
}
