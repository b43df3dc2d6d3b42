const MEASURE = { explained_variance: "Expl. variance", rmse: "RMSE", r: "r" }
const MEASURE_TITLE = {
  explained_variance: "1 \u2212 error variance / variance: the skill against climatology, which has 0",
  rmse: "Root-mean-square error, in the variable's units", r: "Correlation of the anomalies' patterns" }
const escape = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)

export function render({ model, el }) {
  const wire = channel(model)
  const segments = (id, label, items) => `<span class="segments" id="${id}" role="radiogroup" aria-label="${label}">` +
    items.map(([key, text, title]) => `<button type="button" role="radio" data-key="${key}" title="${escape(title ?? text)}">${escape(text)}</button>`).join("") + `</span>`
  el.innerHTML = `<section class="foot" aria-label="Verification and series">
  <div class="line">
    <button type="button" class="part" data-part="scores">Verification</button>
    <button type="button" class="part" data-part="series">Series</button>
    <label class="where"><span>over</span> <select id="region" aria-label="Region of the verification and the series"></select></label>
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
      <div class="heads"><select id="variable" aria-label="Variable of the series">${model.variables.map((v) =>
        `<option value="${escape(v.name)}">${escape(v.label)}</option>`).join("")}</select>
        ${segments("scope", "Which months", [["test", "Test years"], ["all", "All months"]])}
        <button type="button" id="run" class="act"></button>
        <progress hidden aria-label="Months of the series"></progress><span class="count" aria-hidden="true"></span></div>
      <div class="key"><span class="target">target</span><span class="analysis">analysis</span>
        <span class="of"></span><span class="fit"></span><output class="read"></output></div>
      <div class="chart"></div>
      <p class="hidden" role="status" aria-live="polite"></p>
    </div>
  </div></section>`
  const $ = (query) => el.querySelector(query)
  const state = { measure: "explained_variance", place: "target", scope: "test",
    // Air temperature first: the global means of pressure and rain hardly move, and say little.
    variable: (model.variables.find((v) => v.name === "tas") ?? model.variables[0])?.name }

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
    for (const part of ["scores", "series"]) {
      const on = opened.includes(part)
      $(`.parts .${part}`).hidden = !on
      $(`[data-part=${part}]`).setAttribute("aria-expanded", String(on))
    }
    $(".parts").hidden = !opened.length
    say()
    if (opened.includes("series")) showSeries()
  }
  let opened = [...model.opened]
  for (const button of el.querySelectorAll("[data-part]")) {
    button.addEventListener("click", () => {
      const { part } = button.dataset
      opened = opened.includes(part) ? opened.filter((p) => p !== part) : [...opened, part]
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
  const cell = (method, variable) => {
    const score = model.scores[state.place]?.[method]?.[variable.name]
    const value = score?.[state.measure]
    if (value === null || value === undefined) return `<td><span class="none" aria-label="no score">–</span></td>`
    const best = model.scores.best?.[state.place]?.[variable.name] === method && state.measure !== "r"
    const text = state.measure === "rmse" ? value.toFixed(variable.decimals + 1) : signed(value, 2).replace("+", "")
    const what = state.place === "withheld" ? `${score.n} withheld observations` : `${score.n} cells`
    return `<td class="${best ? "best" : ""}" title="${what}${best ? "; the least RMSE" : ""}">${text}</td>`
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
    read: (words) => { $(".read").textContent = words },
  })
  const showSeries = () => {
    const months = model.series.months ?? []
    if (!months.length || !opened.includes("series")) return
    const variable = model.variables.find((v) => v.name === state.variable)
    const { split, target } = model.series
    const shown = months.map((_, i) => i).filter((i) => state.scope === "all" || split[i] === "T")
    chart.draw({
      months, split, shown, month: model.month, units: variable.units, decimals: variable.decimals,
      target: target[variable.name], analysis: model.analysis.values?.[variable.name] ?? months.map(() => null),
    })
    $(".of").textContent = model.scenario
    $(".of").title = model.scenario
    const score = model.analysis.scores?.[variable.name]
    $(".fit").textContent = score?.n
      ? `${score.n} test months: RMSE ${score.rmse.toFixed(variable.decimals + 1)} ${variable.units}` +
        (score.r === null ? "" : `, r ${signed(score.r, 2).replace("+", "")}`)
      : ""
  }
  const showProgress = () => {
    const { running = false, done = 0, total = 0, words = "", failed = false } = model.progress
    const bar = $("progress")
    bar.hidden = !running
    bar.max = Math.max(total, 1)
    bar.value = done
    $(".count").textContent = running ? `${done} of ${total}` : words
    $(".count").title = running ? "" : words
    $(".count").classList.toggle("failed", failed)
    $("#run").textContent = running ? "Cancel" : "Assimilate"
    $("#run").title = running ? "Stop; what is done stays" : "Assimilate the months of this chart that are missing"
    const half = running && total && done === Math.floor(total / 2)
    if (!running || half) $("[role=status]").textContent = running ? `${done} of ${total} months` : words
  }
  $("#run").addEventListener("click", () => {
    wire.send(model.progress.running ? { type: "series-cancel" } : { type: "series-start", value: state.scope }, "series")
  })

  choose("measure", () => showScores())
  choose("place", () => showScores())
  $("#variable").addEventListener("change", (e) => { state.variable = e.target.value; showSeries() })
  choose("scope", () => showSeries())
  for (const name of ["scores", "method", "methods", "busy"]) model.on(name, showScores)
  for (const name of ["series", "analysis", "scenario", "month"]) model.on(name, showSeries)
  model.on("progress", showProgress)
  model.on("regions", showRegions)
  model.on("region", showRegions)
  model.on("opened", () => { opened = [...model.opened]; showParts(opened) })
  model.on("remove", chart.stop)
  showRegions()
  showScores()
  showProgress()
  showParts(opened)
}
