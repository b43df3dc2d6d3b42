// Looks the hovered cell up in the values that are already in the browser: no round trip.
const cell = Math.round(value)
if (!(cell >= 0 && cell < lon.length)) return ""
if (format == "place") {
  const east = ((lon[cell] + 180) % 360 + 360) % 360 - 180
  const ns = lat[cell] < 0 ? "S" : "N", ew = east < 0 ? "W" : "E"
  return Math.abs(lat[cell]).toFixed(1) + "\u00b0" + ns + "  "
       + Math.abs(east).toFixed(1) + "\u00b0" + ew
}
const i = format == "target" ? 0 : 1
if (format == "first") return meta.data["what"][0]
if (format == "what") return meta.data["what"][1]
const v = cells.data[format][cell]
if (!Number.isFinite(v)) return meta.data["missing"][i]
const sign = v > 0 && meta.data["signed"][i] ? "+" : v < 0 ? "\u2212" : ""
return sign + Math.abs(v).toFixed(meta.data["decimals"][i]) + " " + meta.data["units"][i]
