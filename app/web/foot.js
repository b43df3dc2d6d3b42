const MEASURE = { explained_variance: "Expl. variance", rmse: "RMSE", r: "r" }
const MEASURE_TITLE = {
  explained_variance: "1 \u2212 error variance / variance: the skill against climatology, which has 0",
  rmse: "Root-mean-square error, in the variable's units", r: "Correlation of the anomalies' patterns" }
// Height that the parts need, with their line.
const ROOM = 280
const escape = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)

export function render({ model, el }) {
  const wire = channel(model)
  const segments = (id, label, items) => `<span class="segments" id="${id}" role="radiogroup" aria-label="${label}">` +
    items.map(([key, text, title]) => `<button type="button" role="radio" data-key="${key}" title="${escape(title ?? text)}">${escape(text)}</button>`).join("") + `</span>`
  el.innerHTML = `<section class="foot" aria-label="Verification and series">
  <div class="line">
    <button type="button" class="part" data-part="scores">Verification</button>
    <button type="button" class="part" data-part="series">Series</button>
    <button type="button" class="part" data-part="drivers">Drivers</button>
    <button type="button" class="part" data-part="impact" title="A measured series, predicted from the latent vector">Impact</button>
    <select id="variable" aria-label="Variable of the series and the drivers"></select>
    <label class="where"><span>over</span> <select id="region" aria-label="Region of the verification, the series and the drivers"></select></label>
    <span class="said"></span>
  </div>
  <div class="parts">
    <div class="scores" role="group" aria-label="Verification">
      <div class="heads">${segments("measure", "Score", Object.entries(MEASURE).map(([k, t]) => [k, t, MEASURE_TITLE[k]]))}
        ${segments("place", "Where to score", [["target", "Cells", "Against the target, every cell by its area"],
          ["withheld", "Withheld", "At the withheld observations, each counting alike"]])}
        <button type="button" id="compare" class="act" title="Run every method on these observations">Compare all</button></div>
      <div class="scroll"><table><thead></thead><tbody></tbody></table></div>
      <ul class="words"></ul>
    </div>
    <div class="series" role="group" aria-label="Series">
      <div class="heads">
        ${segments("scope", "Which months", [["test", "Test years"], ["all", "All months"]])}
        <select id="change" aria-label="Change of the sea in the series" title="What the blue line is"><option value="patches">Changed sea</option>
          <option value="trend">Sea without trend</option></select>
        <button type="button" id="run" class="act"></button>
        <progress hidden aria-label="Months of the series"></progress><span class="count" aria-hidden="true"></span></div>
      <div class="key"><span class="of"></span><span class="fit"></span><span class="stale" role="status"></span><output class="read"></output></div>
      <div class="chart"></div>
      <p class="hidden" role="status" aria-live="polite"></p>
    </div>
    <div class="drivers" role="group" aria-label="Drivers">
      <div class="heads"><button type="button" id="find" class="act">Find the drivers</button><span class="what"></span></div>
      <p class="sum"></p>
      <ul class="scroll" aria-label="Contributions of the basins"></ul>
      <p class="words"></p>
    </div>
    ${impactHtml(segments)}
  </div></section>`
  const $ = (query) => el.querySelector(query)
  const state = { measure: "explained_variance", place: "target", scope: "test",
    // Air temperature first: the global means of pressure and rain hardly move, and say little.
    variable: (model.variables.find((v) => v.observed_as === "tas") ?? model.variables[0])?.name }

  $("#variable").innerHTML = model.variables.map((v) => `<option value="${escape(v.name)}">${escape(v.label)}</option>`).join("")
  $("#variable").value = state.variable

  // Segments are radio buttons: arrows move within them, Tab goes past them.
  const choose = (id, then) => {
    const buttons = [...el.querySelectorAll(`#${id} button`)]
    const show = () => buttons.forEach((b) => {
      const on = b.dataset.key === state[id]
      b.setAttribute("aria-checked", String(on))
      b.tabIndex = on ? 0 : -1
    })
    buttons.forEach((b, i) => {
      b.addEventListener("click", () => { state[id] = b.dataset.key; show(); then() })
      b.addEventListener("keydown", (e) => {
        const way = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[e.key]
        if (!way) return
        e.preventDefault()
        const next = buttons[(i + way + buttons.length) % buttons.length]
        next.focus()
        next.click()
      })
    })
    show()
  }

  const showParts = (opened) => {
    const perturb = model.mode === "perturb"
    $("[data-part=drivers]").hidden = $("#change").hidden = !perturb
    for (const part of ["scores", "series", "drivers"]) {
      const on = opened.includes(part) && (perturb || part !== "drivers")
      $(`.parts .${part}`).hidden = !on
      $(`[data-part=${part}]`).setAttribute("aria-expanded", String(on))
    }
    const drivers = perturb && opened.includes("drivers")
    const impact = opened.includes("impact") && model.impacts.length > 0
    $("[data-part=impact]").hidden = !model.impacts.length
    $("[data-part=impact]").setAttribute("aria-expanded", String(impact))
    $(".parts .impact").hidden = !impact
    $(".where").hidden = impact
    $("#variable").hidden = !drivers && !opened.includes("series")
    const unfolded = drivers || impact || opened.includes("scores") || opened.includes("series")
    document.documentElement.toggleAttribute("data-foot", unfolded)
    $(".parts").hidden = !unfolded
    say()
    if (impact) impacts.show()
    if (opened.includes("series")) showSeries()
    if (drivers) showDrivers()
  }
  let opened = [...model.opened]
  // Few rows leave room below them: what else there is to see stands there.
  const last = document.querySelector(".rows .row:last-child")
  if (last && !document.documentElement.matches(".compact") && innerHeight - last.getBoundingClientRect().bottom > ROOM && !opened.length) {
    opened = ["scores", "series"]
    whenReady(model, () => wire.send({ type: "foot", value: opened }))
  }
  for (const button of el.querySelectorAll("[data-part]")) {
    button.addEventListener("click", () => {
      const { part } = button.dataset
      opened = opened.includes(part) ? opened.filter((p) => p !== part) : [...opened, part]
      // The table and the drivers take the same room: one of them beside the series.
      const other = { scores: "drivers", drivers: "scores" }[part]
      if (opened.includes(part)) opened = opened.filter((p) => p !== other && (part === "impact" ? p === part : p !== "impact"))
      showParts(opened)
      wire.send({ type: "foot", value: opened })
    })
  }

  const showRegions = () => {
    $("#region").innerHTML = model.regions.map(([key, label]) => `<option value="${escape(key)}">${escape(label)}</option>`).join("")
    $("#region").value = model.region
  }
  $("#region").addEventListener("change", (e) => wire.send({ type: "foot-region", value: e.target.value }))

  // -- the table
  const written = (method, variable) => {
    const value = model.scores[state.place]?.[method]?.[variable.name]?.[state.measure]
    if (value === null || value === undefined) return ""
    return state.measure === "rmse" ? value.toFixed(variable.decimals + 1) : signed(value, 2).replace("+", "")
  }
  const cell = (method, variable) => {
    const score = model.scores[state.place]?.[method]?.[variable.name]
    const text = written(method, variable)
    if (!text) return `<td><span class="none" aria-label="no score">–</span></td>`
    // What shows the same digits as the best is as good, as far as anyone can read it.
    const first = model.scores.best?.[state.place]?.[variable.name]
    const best = state.measure !== "r" && first && text === written(first, variable)
    const what = state.place === "withheld" ? `${score.n} withheld observations` : `${score.n} cells`
    return `<td class="${best ? "best" : ""}" title="${what}${best ? first === method ? "; the least RMSE" : "; as good as the best to these digits" : ""}">${text}</td>`
  }
  // The words stand below the table; in the line, where that is folded.
  const say = () => {
    const words = model.busy ? [model.busy] : opened.includes("scores") ? [] : model.scores.words ?? []
    $(".said").textContent = words.join(" ")
    $(".said").title = words.join(" ")
  }
  const showScores = () => {
    const units = state.measure === "rmse"
    $("thead").innerHTML = `<tr><th scope="col">Method</th>${model.variables.map((v) =>
      `<th scope="col" title="${escape(v.label)}">${escape(v.label)}${units ? ` <small>${escape(v.units)}</small>` : ""}</th>`).join("")}</tr>`
    const focused = el.getRootNode().activeElement?.dataset?.method
    $("tbody").innerHTML = model.methods.map(([key, label, title]) => {
      const on = key === model.method
      return `<tr class="${on ? "shown" : ""}"><th scope="row"><button type="button" data-method="${escape(key)}" ` +
        `aria-pressed="${on}" title="${escape(title)}. Click to show it in the model column.">${escape(label)}</button></th>` +
        model.variables.map((v) => cell(key, v)).join("") + `</tr>`
    }).join("")
    if (focused) $(`[data-method="${focused}"]`)?.focus()
    const words = model.scores.words ?? []
    $(".words").innerHTML = words.map((w) => `<li>${escape(w)}</li>`).join("")
    const withheld = Object.keys(model.scores.withheld ?? {}).length > 0
    $("#place [data-key=withheld]").disabled = !withheld
    if (!withheld && state.place === "withheld") $("#place [data-key=target]").click()
    $("#compare").disabled = Boolean(model.busy)
    say()
  }
  $("tbody").addEventListener("click", (e) => {
    const button = e.target.closest("[data-method]")
    if (button) wire.send({ type: "method", value: button.dataset.method })
  })
  $("#compare").addEventListener("click", () => wire.send({ type: "compare" }))

  // -- the series
  const chart = seriesChart($(".chart"), {
    go: (month) => wire.send({ type: "month", value: month }),
    read: (words) => { $(".read").textContent = $(".read").title = words },
  })
  // Alone, for it changes with each amount while a slider moves.
  const showStale = () => {
    $(".chart").classList.toggle("old", Boolean(model.stale))
    $(".stale").textContent = $(".stale").title = model.stale
  }
  const showSeries = () => {
    const months = model.series.months ?? []
    if (!months.length || !opened.includes("series")) return
    const variable = model.variables.find((v) => v.name === state.variable)
    const { split, target } = model.series
    const shown = months.map((_, i) => i).filter((i) => state.scope === "all" || split[i] === "T")
    const none = months.map(() => null)
    const perturb = model.mode === "perturb"
    const lines = [
      { kind: "target", name: "target", values: target[variable.name], none: "no cells here" },
      { kind: "analysis", name: perturb ? "sea as it was" : "analysis",
        values: model.analysis.values?.[variable.name] ?? none, none: "not assimilated yet" },
    ]
    if (perturb) {
      lines.push({ kind: "changed", name: model.changed.name ?? "changed sea",
        values: model.changed.values?.[variable.name] ?? none, none: "not made yet" })
      // Nothing is said twice of a month that nothing is made of.
      lines[1].none = "not made yet"
      lines[2].none = "no changed sea"
    }
    chart.draw({ months, split, shown, month: model.month, units: variable.units, decimals: variable.decimals, lines })
    showStale()
    $(".of").textContent = model.scenario
    $(".of").title = model.scenario
    const digits = variable.decimals + 1
    const score = model.analysis.scores?.[variable.name], change = model.changed.difference?.[variable.name]
    $(".fit").textContent = perturb
      ? change?.n ? `changes the mean by ${signed(change.mean, digits)} ${variable.units} over ${change.n} months` : ""
      : score?.n
        ? `${score.n} test months: RMSE ${score.rmse.toFixed(digits)} ${variable.units}` +
          (score.r === null ? "" : `, r ${signed(score.r, 2).replace("+", "")}`)
        : ""
  }
  // -- the drivers
  const showDrivers = () => {
    const { parts = [], busy = "", stale = false, words = [] } = model.drivers
    const variable = model.variables.find((v) => v.name === model.drivers.variable)
    $("#find").textContent = busy ? `${busy} …` : `Find the drivers of ${model.month}`
    $("#find").disabled = Boolean(busy)
    $("#find").title = "Gradient of the regional mean by the sea's temperature, times the sea's anomaly, summed over basins"
    const other = variable && (stale || variable.name !== state.variable)
    $(".drivers").classList.toggle("old", Boolean(other))
    if (!variable) {
      $(".what").textContent = ""
      $(".sum").textContent = "What each part of the sea adds to the regional mean of this month."
      $(".drivers ul").innerHTML = ""
      $(".drivers .words").textContent = ""
      return
    }
    const { month, region, held, units, value, normal, linear, remainder } = model.drivers
    const digits = variable.decimals + 1, number = (v) => signed(v, digits)
    const what = `${variable.label}, ${region}, ${month}, ${held}`
    $(".what").textContent = other ? `of other settings: ${what}` : what
    $(".what").title = what
    $(".sum").innerHTML = `<b>${number(value)} ${escape(units)}</b> = basins ${number(linear)}, normal sea ${number(normal)}, ` +
      `rest ${number(remainder)}`
    $(".sum").title = "The analysis' anomaly over the region is the sum of three: the basins' contributions, what it would be under a sea without anomalies, and the rest, which is not linear in the sea"
    const most = Math.max(...parts.map((p) => Math.abs(p.contribution)), 1e-9)
    $(".drivers ul").innerHTML = parts.map((p) => {
      const width = 50 * Math.abs(p.contribution) / most, left = p.contribution < 0 ? 50 - width : 50
      const share = p.share === null ? "" : `${signed(100 * p.share, 0).replace("+", "")} %`
      return `<li title="${escape(p.label)}: its sea is ${signed(p.anomaly, 2)} K from normal"><span class="basin">${escape(p.label)}</span>` +
        `<span class="bar" aria-hidden="true"><i class="${p.contribution < 0 ? "less" : "more"}" style="left:${left.toFixed(1)}%;width:${width.toFixed(1)}%"></i></span>` +
        `<span class="given">${number(p.contribution)} ${escape(units)}</span><span class="share">${share}</span></li>`
    }).join("")
    $(".drivers .words").textContent = words.join(" ")
  }
  $("#find").addEventListener("click", () => wire.send({ type: "drivers", value: state.variable }))
  $("#change").addEventListener("change", (e) => wire.send({ type: "foot-change", value: e.target.value }))
  const showProgress = () => {
    const { running = false, done = 0, total = 0, words = "", failed = false } = model.progress
    const bar = $("progress")
    bar.hidden = !running
    bar.max = Math.max(total, 1)
    bar.value = done
    $(".count").textContent = running ? `${done} of ${total}` : words
    $(".count").title = running ? "" : words
    $(".count").classList.toggle("failed", failed)
    $("#run").textContent = running ? "Cancel" : model.mode === "perturb" ? "Make both series" : "Assimilate"
    $("#run").title = running ? "Stop; what is done stays" : "Assimilate the months of this chart that are missing"
    const half = running && total && done === Math.floor(total / 2)
    if (!running || half) $("p[role=status]").textContent = running ? `${done} of ${total} months` : words
  }
  $("#run").addEventListener("click", () => {
    wire.send(model.progress.running ? { type: "series-cancel" } : { type: "series-start", value: state.scope }, "series")
  })

  const impacts = impactPart($(".parts .impact"), model, state, { wire, choose, go: (month) => wire.send({ type: "month", value: month }) })
  choose("measure", () => showScores())
  choose("place", () => showScores())
  $("#variable").addEventListener("change", (e) => { state.variable = e.target.value; showSeries(); showDrivers() })
  choose("scope", () => showSeries())
  for (const name of ["scores", "method", "methods", "busy"]) model.on(name, showScores)
  for (const name of ["series", "analysis", "changed", "scenario", "month"]) model.on(name, showSeries)
  model.on("stale", showStale)
  for (const name of ["drivers", "month"]) model.on(name, showDrivers)
  model.on("sea", () => { $("#change").value = model.sea; showSeries() })
  model.on("mode", () => { showProgress(); showParts(opened) })
  model.on("progress", showProgress)
  model.on("regions", showRegions)
  model.on("region", showRegions)
  model.on("opened", () => { opened = [...model.opened]; showParts(opened) })
  model.on("remove", () => { chart.stop(); impacts.stop() })
  $("#change").value = model.sea
  showRegions()
  showScores()
  showProgress()
  showParts(opened)
}
