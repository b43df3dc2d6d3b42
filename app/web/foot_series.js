// The chart of a series: an SVG in the pixels of its place, drawn anew when its size or data change.
// A slider to keyboards and screen readers: its value is a month.
// Above the lines, the unit.
// On the right, the names of the lines.
const MARGIN = { left: 52, right: 96, top: 18, bottom: 20 }
const NAME_HEIGHT = 13
// Months that do not follow each other, as test years side by side, stand this much apart.
const GAP = 0.8

const monthIndex = (month) => 12 * Number(month.slice(0, 4)) + Number(month.slice(5)) - 1
const SPLIT_NAMES = { t: "training month", v: "validation month", c: "calibration month", T: "test month", g: "gap month" }

const signed = (value, decimals) => {
  if (value === null || value === undefined) return "none"
  const text = Math.abs(value).toFixed(decimals)
  return Number(text) === 0 ? text : (value < 0 ? "\u2212" : "+") + text
}

// Round steps of 1, 2 or 5 that cut a range into about `count` parts.
const niceTicks = (low, high, count) => {
  const raw = (high - low) / count
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = power * [1, 2, 5, 10].find((s) => s * power >= raw * 0.999)
  const ticks = []
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) ticks.push(i * step)
  return { ticks, decimals: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) }
}

// `place` is emptied and filled; `go` is given a month, `read` the words of the month under the cursor.
// A line is { kind, name, values }; its kind is its class, and its name stands at its end. A band { kind, low, high } lies behind
// them; `describe` gives other words for a month.
function seriesChart(place, { go, read }) {
  place.innerHTML = `<svg tabindex="0" role="slider" aria-label="Month of the series"></svg>`
  const svg = place.firstChild
  let data = null, slots = null, cursor = null, drawn = null, marked = null

  // Never so narrow that its margins leave nothing: a place that is being unfolded has no width yet.
  const width = () => Math.max(MARGIN.left + MARGIN.right + 40, place.clientWidth)
  const height = () => Math.max(60, place.clientHeight)

  const layOut = () => {
    const at = []
    let end = 0
    data.shown.forEach((i, j) => {
      const follows = j > 0 && monthIndex(data.months[i]) === monthIndex(data.months[data.shown[j - 1]]) + 1
      if (j > 0 && !follows) end += GAP
      at.push({ i, centre: end + 0.5, follows })
      end += 1
    })
    return { at, end }
  }

  // Lines break where months do not follow each other or a value is missing; a lone month is a dot.
  const lines = (values, x, y) => {
    let path = "", run = []
    const dots = []
    const finish = () => {
      if (run.length > 1) path += `M${run.map(([a, b]) => `${a.toFixed(1)},${b.toFixed(1)}`).join("L")}`
      else if (run.length === 1) dots.push(run[0])
      run = []
    }
    for (const slot of slots.at) {
      if (!slot.follows || values[slot.i] === null) finish()
      if (values[slot.i] !== null) run.push([x(slot), y(values[slot.i])])
    }
    finish()
    return { path, dots }
  }

  // Each name as near to its line's end as the others let it.
  const names = (y, right, bottom) => {
    const all = data.lines.map(({ kind, name, values }) => {
      const last = slots.at.findLast(({ i }) => values[i] !== null)
      return last && { kind, name, at: y(values[last.i]) }
    }).filter(Boolean).sort((a, b) => a.at - b.at)
    let least = MARGIN.top + 4
    for (const name of all) { name.at = Math.max(name.at, least); least = name.at + NAME_HEIGHT }
    let most = bottom
    for (const name of all.reverse()) { name.at = Math.min(name.at, most); most = name.at - NAME_HEIGHT }
    return all.map(({ kind, name, at }) => `<text class="name ${kind}" x="${right + 6}" y="${(at + 4).toFixed(1)}">${name}</text>`).join("")
  }

  const draw = (next) => {
    data = next
    slots = layOut()
    const w = width(), h = height()
    const right = w - MARGIN.right, bottom = h - MARGIN.bottom
    const scale = (right - MARGIN.left) / Math.max(slots.end, 1)
    const x = (slot) => MARGIN.left + slot.centre * scale
    const band = data.band ? [data.band.low, data.band.high] : []
    const values = slots.at.flatMap(({ i }) => [...data.lines.map((l) => l.values[i]), ...band.map((b) => b[i])]).filter((v) => v !== null)
    let low = Math.min(0, ...values), high = Math.max(0, ...values)
    if (high - low < 1e-9) { low -= 1; high += 1 }
    const pad = 0.06 * (high - low)
    low -= pad
    high += pad
    const y = (value) => bottom - ((value - low) / (high - low)) * (bottom - MARGIN.top)
    drawn = { x, y, bottom }

    const { ticks, decimals } = niceTicks(low, high, Math.max(2, Math.min(5, Math.floor(h / 38))))
    const grid = ticks.map((t) => `<line class="${t === 0 ? "zero" : "grid"}" x1="${MARGIN.left}" x2="${right}" y1="${y(t).toFixed(1)}" y2="${y(t).toFixed(1)}"/>` +
      `<text class="y" x="${MARGIN.left - 6}" y="${(y(t) + 4).toFixed(1)}">${(t === 0 ? 0 : t).toFixed(decimals).replace("-", "\u2212")}</text>`).join("")

    // Test months: a band behind, where others stand beside them, and a line below, as in the bar.
    const mixed = data.shown.some((i) => data.split[i] !== "T")
    let bands = "", years = ""
    let open = null
    const close = (last) => {
      if (!open) return
      const a = x(open) - scale / 2, b = x(last) + scale / 2
      if (mixed) bands += `<rect class="test" x="${a.toFixed(1)}" y="${MARGIN.top}" width="${(b - a).toFixed(1)}" height="${bottom - MARGIN.top}"/>`
      bands += `<rect class="mark" x="${a.toFixed(1)}" y="${bottom}" width="${(b - a).toFixed(1)}" height="3"/>`
      open = null
    }
    slots.at.forEach((slot, j) => {
      const test = data.split[slot.i] === "T"
      if (open && (!test || !slot.follows)) close(slots.at[j - 1])
      if (test && !open) open = slot
    })
    close(slots.at[slots.at.length - 1])

    let last = -Infinity
    // Where a year is too narrow for its name, every fifth or tenth has one.
    const each = [1, 5, 10].find((step) => 12 * step * scale > 40) ?? 10
    slots.at.forEach((slot, j) => {
      const month = data.months[slot.i]
      const begins = j === 0 || !slot.follows
      const named = month.slice(5) === "01" && Number(month.slice(0, 4)) % each === 0
      if (!named && !(begins && each === 1)) return
      const at = x(slot) - scale / 2
      if (!mixed && begins && j) years += `<line class="grid" x1="${(at - GAP * scale / 2).toFixed(1)}" x2="${(at - GAP * scale / 2).toFixed(1)}" y1="${MARGIN.top}" y2="${bottom}"/>`
      if (at - last < 40) return
      last = at
      years += `<line class="tick" x1="${at.toFixed(1)}" x2="${at.toFixed(1)}" y1="${bottom}" y2="${bottom + 5}"/>` +
        `<text class="x" x="${(at + 3).toFixed(1)}" y="${h - 4}">${month.slice(0, 4)}</text>`
    })

    // Between two values, where both are there.
    let area = "", run = []
    const close2 = () => {
      const half = Math.max(0.5, scale / 2)
      // A lone month is as wide as a month.
      const [a, b] = run.length === 1 ? [half, half] : [0, 0]
      const up = run.map((s, j) => `${(x(s) + (j ? b : -a)).toFixed(1)},${y(band[1][s.i]).toFixed(1)}`)
      const down = run.map((s, j) => `${(x(s) + (j ? b : -a)).toFixed(1)},${y(band[0][s.i]).toFixed(1)}`)
      if (run.length === 1) area += `M${(x(run[0]) - half).toFixed(1)},${y(band[1][run[0].i]).toFixed(1)}h${(2 * half).toFixed(1)}V${y(band[0][run[0].i]).toFixed(1)}h${(-2 * half).toFixed(1)}z`
      else if (run.length) area += `M${up.join("L")}L${down.reverse().join("L")}z`
      run = []
    }
    if (band.length) {
      for (const slot of slots.at) {
        const there = band[0][slot.i] !== null && band[1][slot.i] !== null
        if (!slot.follows || !there) close2()
        if (there) run.push(slot)
      }
      close2()
    }

    const dot = (kind, r) => ([a, b]) => `<circle class="${kind}" cx="${a.toFixed(1)}" cy="${b.toFixed(1)}" r="${r}"/>`
    const drawnLines = data.lines.map(({ kind, values }) => {
      const { path, dots } = lines(values, x, y)
      // Where there is room, an analysis has a dot a month too: told apart without its colour.
      const beads = kind === "target" || scale < 7 ? dots : slots.at.filter(({ i }) => values[i] !== null)
        .map((slot) => [x(slot), y(values[slot.i])])
      return `<path class="${kind}" d="${path}"/>` + beads.map(dot(kind, kind === "target" ? 2 : 2.2)).join("")
    }).join("")
    const here = slots.at.find(({ i }) => data.months[i] === data.month)
    svg.setAttribute("width", w)
    svg.setAttribute("height", h)
    svg.innerHTML = bands + grid + years +
      `<text class="unit" x="${MARGIN.left - 6}" y="11">${data.units}</text>` +
      (here ? `<line class="here" x1="${x(here).toFixed(1)}" x2="${x(here).toFixed(1)}" y1="${MARGIN.top}" y2="${bottom + 5}"/>` : "") +
      (area ? `<path class="band ${data.band.kind}" d="${area}"/>` : "") +
      drawnLines + names(y, right, bottom) +
      `<g class="now"></g><g class="cursor"></g>`
    svg.setAttribute("aria-label", data.label ?? "Month of the series")
    mark(marked)
    svg.setAttribute("aria-valuemin", 0)
    svg.setAttribute("aria-valuemax", Math.max(0, slots.at.length - 1))
    if (cursor !== null && cursor >= slots.at.length) cursor = null
    point(cursor)
  }

  // An interval in the month shown: it alone is drawn while a slider moves.
  const mark = (next) => {
    marked = next
    const slot = marked && slots?.at.find(({ i }) => data.months[i] === marked.month)
    const group = svg.querySelector(".now")
    if (!group) return
    if (!slot) { group.innerHTML = ""; return }
    const at = drawn.x(slot).toFixed(1)
    const y = (value) => Math.min(drawn.bottom, Math.max(MARGIN.top, drawn.y(value))).toFixed(1)
    group.innerHTML = `<line x1="${at}" x2="${at}" y1="${y(marked.low)}" y2="${y(marked.high)}"/>` +
      `<circle cx="${at}" cy="${y(marked.median)}" r="4.5"/>`
  }

  // The cursor alone is drawn while a hand or a key moves it.
  const point = (j) => {
    cursor = j
    const group = svg.querySelector(".cursor")
    const words = j === null ? "" : describe(j)
    read(words)
    const now = j ?? Math.max(0, slots.at.findIndex(({ i }) => data.months[i] === data.month))
    svg.setAttribute("aria-valuenow", now)
    svg.setAttribute("aria-valuetext", slots.at.length ? describe(now) : "no months")
    if (j === null) { group.innerHTML = ""; return }
    const slot = slots.at[j], at = drawn.x(slot).toFixed(1)
    const ring = (kind, value) => value === null ? ""
      : `<circle class="${kind} ring" cx="${at}" cy="${drawn.y(value).toFixed(1)}" r="4"/>`
    group.innerHTML = `<line x1="${at}" x2="${at}" y1="${MARGIN.top}" y2="${drawn.bottom}"/>` +
      data.lines.map(({ kind, values }) => ring(kind, values[slot.i])).join("")
  }
  const describe = (j) => {
    if (data.describe) return data.describe(slots.at[j].i)
    const { i } = slots.at[j], d = data.decimals + 1, u = data.units
    const words = data.lines.map(({ name, values, none }) =>
      values[i] === null ? none : `${name} ${signed(values[i], d)} ${u}`)
    return `${data.months[i]}: ${words.join(", ")}, ${SPLIT_NAMES[data.split[i]]}`
  }

  const nearest = (event) => {
    const px = event.clientX - svg.getBoundingClientRect().left
    let best = null, distance = Infinity
    slots.at.forEach((slot, j) => {
      const d = Math.abs(drawn.x(slot) - px)
      if (d < distance) { distance = d; best = j }
    })
    return best
  }
  svg.addEventListener("pointermove", (e) => { if (slots) point(nearest(e)) })
  svg.addEventListener("pointerleave", () => { if (slots) point(null) })
  svg.addEventListener("click", (e) => {
    const j = slots && nearest(e)
    if (j !== null && slots.at[j]) go(data.months[slots.at[j].i])
  })
  svg.addEventListener("keydown", (e) => {
    if (!slots?.at.length) return
    const end = slots.at.length - 1
    const now = cursor ?? Math.max(0, slots.at.findIndex(({ i }) => data.months[i] === data.month))
    const to = { ArrowLeft: now - 1, ArrowDown: now - 1, ArrowRight: now + 1, ArrowUp: now + 1,
      PageDown: now - 12, PageUp: now + 12, Home: 0, End: end }[e.key]
    if (to !== undefined) {
      e.preventDefault()
      point(Math.min(Math.max(to, 0), end))
    } else if (e.key === "Enter" || e.key === " ") {
      e.preventDefault()
      go(data.months[slots.at[now].i])
    } else if (e.key === "Escape" && cursor !== null) point(null)
  })
  svg.addEventListener("blur", () => { if (slots) point(null) })

  const watcher = new ResizeObserver(() => { if (data) draw(data) })
  watcher.observe(place)
  return { draw, mark, stop: () => watcher.disconnect() }
}

