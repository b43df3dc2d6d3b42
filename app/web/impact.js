// The impact series: on the left what is predicted for the state shown, on the right all months.
const IMPACT_SCOPE = { near: ["Near", "Seven years either side of the month shown"],
  test: ["Test years", "Months that the model and the head have never seen"], all: ["All", "All months"] }
const NEAR_MONTHS = 84
const impactHtml = (segments) => `<div class="impact" role="group" aria-label="Impact series">
  <div class="now">
    <div class="heads"><select id="impact-head" aria-label="Impact series shown"></select><b class="title"></b></div>
    <p class="big"><output></output> <span class="unit"></span> <span class="range"></span></p>
    <svg class="gauge" role="img"></svg>
    <p class="facts"></p>
    <p class="note"></p>
  </div>
  <div class="then">
    <div class="heads">${segments("impactScope", "Months of the impact series", Object.entries(IMPACT_SCOPE).map(([k, [t, title]]) => [k, t, title]))}
      <span class="legend"><span data-of="observed"><i class="observed"></i>measured</span> <span data-of="median"><i class="median"></i>predicted, 80 %</span> <span data-of="live"><i class="live"></i>state shown</span></span>
      <output class="read"></output></div>
    <div class="chart"></div>
    <p class="skill"></p>
  </div>
  <p class="hidden" role="status" aria-live="polite"></p>
</div>`

// `choose` makes radio buttons of segments; `go` is given a month.
function impactPart(root, model, state, { wire, choose, go }) {
  const $ = (query) => root.querySelector(query)
  state.impactScope = "near"
  const chart = seriesChart($(".chart"), { go, read: (words) => { $(".read").textContent = $(".read").title = words } })
  const number = (value) => value === null ? "\u2013" : value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(2)))

  const gauge = () => {
    const now = model.impact_now, { extremes, usual } = model.impact
    const svg = $(".gauge"), w = Math.max(160, svg.parentNode.clientWidth), h = 74, left = 66, right = w - 8
    const [least, most] = extremes[now.calendar - 1]
    const [low, normal, high] = usual[now.calendar - 1]
    // One scale a calendar month, so that what moves is the state and not the axis.
    const from = Math.min(0, least), to = Math.max(most, high) + 0.04 * Math.max(most - from, 1e-9)
    const at = (v) => left + (right - left) * Math.min(1, Math.max(0, (v - from) / (to - from)))
    const row = (i, kind, name, a, m, b) => {
      const y = 10 + 18 * i
      const beyond = m > to ? `<path class="${kind} beyond" d="M${right - 2},${y - 4}l5,4l-5,4z"/>` : ""
      return `<text x="${left - 6}" y="${y + 4}">${name}</text>` +
        (a === null ? "" : `<rect class="${kind}" x="${at(a).toFixed(1)}" y="${y - 4}" width="${Math.max(1, at(b) - at(a)).toFixed(1)}" height="8" rx="4"/>`) +
        (m === null ? "" : `<circle class="${kind}" cx="${at(m).toFixed(1)}" cy="${y}" r="4.5"/>`) + beyond
    }
    svg.setAttribute("width", w)
    svg.setAttribute("height", h)
    svg.setAttribute("aria-label", now.words)
    const { ticks, decimals } = niceTicks(from, to, 4)
    svg.innerHTML = ticks.map((t) => `<line class="grid" x1="${at(t).toFixed(1)}" x2="${at(t).toFixed(1)}" y1="2" y2="56"/>` +
      `<text class="tick" x="${at(t).toFixed(1)}" y="69">${(t === 0 ? 0 : t).toFixed(decimals).replace("-", "\u2212")}</text>`).join("") +
      row(0, "usual", "usual", low, normal, high) + row(1, "live", "predicted", now.low, now.median, now.high) +
      row(2, "observed", "measured", null, now.observed, null)
  }
  const showNow = () => {
    const now = model.impact_now
    if (!now.month || !model.impact.months) return
    $(".big output").textContent = now.texts?.median ?? "\u2013"
    $(".big .range").textContent = now.texts?.range ?? ""
    $(".facts").textContent = $(".facts").title = now.facts
    $(".note").textContent = $(".note").title = now.note || model.impact.about
    $(".note").classList.toggle("warns", Boolean(now.note))
    $("[data-of=live]").hidden = now.median === null
    gauge()
    chart.mark(now.median === null ? null : now)
  }
  // Words for those who do not see it, once the hand rests.
  let spoken = null
  const speak = () => {
    clearTimeout(spoken)
    spoken = setTimeout(() => { $("p[role=status]").textContent = model.impact_now.words ?? "" }, 700)
  }
  let drawnFor = ""
  const show = () => {
    const { months = [], split, observed, low, median, high, units, title, skill } = model.impact
    if (!months.length || root.hidden) return
    const month = model.impact_now.month ?? model.month
    $("#impact-head").hidden = model.impacts.length < 2
    $("#impact-head").innerHTML = model.impacts.map(([key, label]) => `<option value="${escape(key)}">${escape(label)}</option>`).join("")
    $("#impact-head").value = model.impact.name
    $(".title").hidden = model.impacts.length > 1
    $(".title").textContent = title
    $(".big .unit").textContent = units
    $(".skill").textContent = skill
    $(".skill").title = `${skill}. Error: the continuous ranked probability score (CRPS), how far a predicted distribution is from what was measured. Climatology: what was measured in that month of other years. A straight line: ridge regression on all latents`
    const here = monthIndex(month), first = monthIndex(months[0]), last = monthIndex(months.at(-1))
    // A window of one length, wherever it is.
    const from = Math.max(first, Math.min(here - NEAR_MONTHS, last - 2 * NEAR_MONTHS)), to = from + 2 * NEAR_MONTHS
    const shown = months.map((_, i) => i).filter((i) => state.impactScope === "all" ||
      (state.impactScope === "test" ? split[i] === "T" : monthIndex(months[i]) >= from && monthIndex(months[i]) <= to))
    chart.draw({ months, split, shown, month, units, decimals: 0, label: "Month of the impact series",
      band: { kind: "predicted", low, high },
      lines: [{ kind: "median", name: "predicted", values: median, none: "no prediction" },
        { kind: "observed", name: "measured", values: observed, none: "not measured" }],
      describe: (i) => `${months[i]}: ${observed[i] === null ? "not measured" : `measured ${number(observed[i])} ${units}`}, ` +
        (median[i] === null ? "no prediction, for a variable is lacking"
          : `predicted ${number(median[i])}, 80 %: ${number(low[i])}\u2013${number(high[i])}`) + `, ${SPLIT_NAMES[split[i]]}` })
    drawnFor = month
    // The key is of what is drawn: before pressure was observed there is no prediction.
    for (const [of, values] of [["observed", observed], ["median", median]]) {
      $(`[data-of=${of}]`).hidden = !shown.some((i) => values[i] !== null)
    }
    showNow()
  }
  choose("impactScope", show)
  $("#impact-head").addEventListener("change", (e) => wire.send({ type: "impact", value: e.target.value }))
  model.on("impact", show)
  // The chart is drawn anew with the month alone; a slider moves the mark in it.
  model.on("impact_now", () => {
    if (root.hidden) return
    if (model.impact_now.month !== drawnFor) show()
    else showNow()
    speak()
  })
  const watcher = new ResizeObserver(() => { if (!root.hidden && model.impact.months && model.impact_now.month) gauge() })
  watcher.observe($(".now"))
  return { show, stop: () => { chart.stop(); watcher.disconnect(); clearTimeout(spoken) } }
}

