// The decoder of a page without a server: its parts against what they are, its pull against finite differences.
import assert from "node:assert/strict"
import { test } from "node:test"

import { Decoder } from "../../mlda_core/assets/site/network.js"
import { normal, random } from "../../mlda_core/assets/site/state.js"

const GLOBE = { variables: 2, lat: 6, lon: 12, latents: 3, patterns: 4, periodic: true }

function decoder(shape, seed = 1, size = 0.3) {
  const draw = random(seed), numbers = (n, by = size) => Float32Array.from({ length: n }, () => by * normal(draw))
  const cells = shape.variables * shape.lat * shape.lon, W = 4, POSITIONS = 2
  const high = Math.ceil(shape.lat / 4) * 2, wide = Math.ceil(shape.lon / 4) * 2
  const parts = {
    mask: Uint8Array.from({ length: cells }, (_, p) => (p % 7 ? 1 : 0)),
    patterns: Int8Array.from({ length: shape.patterns * cells }, () => Math.round(40 * normal(draw))),
    scale: numbers(shape.patterns, 0.02), mixing: numbers(shape.patterns * shape.latents, 1),
    position: numbers(POSITIONS * high * wide),
  }
  const block = (name, inputs, outputs) => {
    parts[`refiner.${name}.conv.conv.weight`] = numbers(9 * inputs * outputs)
    parts[`refiner.${name}.conv.conv.bias`] = numbers(outputs)
    parts[`refiner.${name}.norm.weight`] = numbers(outputs, 1)
    parts[`refiner.${name}.norm.bias`] = numbers(outputs)
    parts[`refiner.${name}.film`] = numbers(2 * outputs)
  }
  block("enter", 4 * shape.variables + POSITIONS, W)
  block("down", 4 * W, 2 * W)
  block("deep", 2 * W, 2 * W)
  block("up", 3 * W, W)
  parts["refiner.leave.conv.weight"] = numbers(9 * W * 4 * shape.variables)
  parts["refiner.leave.conv.bias"] = numbers(4 * shape.variables)
  return new Decoder(shape, parts)
}

for (const [words, shape] of [
  ["on the globe", GLOBE],
  ["where the sides are no multiples of four", { ...GLOBE, lat: 7, lon: 10 }],
  ["in a region", { ...GLOBE, lat: 5, lon: 9, periodic: false }],
]) {
  test(`the pull is the derivative ${words}`, () => {
    const own = decoder(shape), z = Float64Array.from([0.4, -0.8, 0.2])
    const { x, pull } = own.decode(z), draw = random(9)
    const weights = Float32Array.from(x, () => normal(draw))
    const value = (at) => own.decode(at).x.reduce((sum, v, p) => sum + v * weights[p], 0)
    const found = pull(weights)
    z.forEach((_, l) => {
      const [up, down] = [1, -1].map((sign) => value(z.map((v, k) => v + (k === l ? sign * 1e-2 : 0))))
      const slope = (up - down) / 2e-2
      assert.ok(Math.abs(found[l] - slope) < 2e-3 * Math.max(1, Math.abs(slope)), `${found[l]} and ${slope}`)
    })
  })
}

test("what does not exist is zero, and pulls nothing", () => {
  const own = decoder(GLOBE), { x, pull } = own.decode([1, 1, 1])
  x.forEach((v, p) => { if (p % 7 === 0) assert.equal(v, 0) })
  assert.deepEqual([...pull(Float32Array.from(x, (_, p) => (p % 7 ? 0 : 1)))], [0, 0, 0])
})

test("turned by half the globe the poles see the same neighbours", () => {
  // A decoder without places is the same everywhere: turned fields come from turned patterns.
  const whole = { ...GLOBE, lat: 8, lon: 16 }, { lat, lon } = whole, one = decoder(whole), other = decoder(whole)
  for (const own of [one, other]) {
    own.parts.position.fill(0)
    own.parts.mask.fill(1)
  }
  for (let row = 0; row < one.parts.patterns.length / lon; row++) {
    for (let j = 0; j < lon; j++) {
      other.parts.patterns[row * lon + j] = one.parts.patterns[row * lon + ((j + lon / 2) % lon)]
    }
  }
  const a = one.decode([1, -1, 0.5]).x, b = other.decode([1, -1, 0.5]).x
  for (let row = 0; row < a.length / lon; row++) {
    for (let j = 0; j < lon; j++) {
      assert.ok(Math.abs(b[row * lon + j] - a[row * lon + ((j + lon / 2) % lon)]) < 1e-4)
    }
  }
  assert.equal(a.length, 2 * lat * lon)
})
