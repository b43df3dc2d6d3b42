// Looks the hovered cell up in the values that are already in the browser: no round trip.
const cell = Math.round(value)
// As `mlda_core.climate.places.place` writes it.
const degrees = (v, letters) => {
  const size = Math.abs(v).toFixed(1)
  return size + "\u00b0" + (Number(size) === 0 || Number(size) === 180 ? "" : v < 0 ? letters[0] : letters[1])
}
if (!(cell >= 0 && cell < lon.length)) return ""
if (format == "place") {
  const east = ((lon[cell] + 180) % 360 + 360) % 360 - 180
  return degrees(lat[cell], "SN") + " " + degrees(east, "WE")
}
const i = format == "target" ? 0 : 1
if (format == "first") return meta.data["what"][0]
if (format == "what") return meta.data["what"][1]
const v = cells.data[format][cell]
if (!Number.isFinite(v)) return meta.data["missing"][i]
const size = Math.abs(v).toFixed(meta.data["decimals"][i])
// What rounds to nothing has no sign.
const sign = Number(size) === 0 ? "" : v < 0 ? "\u2212" : meta.data["signed"][i] ? "+" : ""
return sign + size + " " + meta.data["units"][i]
