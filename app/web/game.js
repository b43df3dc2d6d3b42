import { channel } from "./channel.js"
import { escape } from "./dom.js"
import { rounds } from "./rounds.js"

const LATEST = 5
const number = (value) => value.toFixed(2).replace("-", "−").replace("−0.00", "0.00")

// The game of ten stations: what is placed, the round scored last, and the rounds that this browser keeps.
export function render({ model, el }) {
  const wire = channel(model)
  const kept = rounds(() => localStorage, model.bundle)
  el.innerHTML = `<div class="lesson game"></div>`
  const root = /** @type {HTMLElement} */ (el.querySelector(".game"))

  const stations = () => {
    const places = model.stations.map((where, i) => `<li>${escape(where)}<button type="button" data-remove="${i}" aria-label="Remove station ${i + 1}, ${escape(where)}" title="Remove">×</button></li>`).join("")
    return places ? `<ol class="stations" aria-label="Stations">${places}</ol>` : ""
  }

  const table = (round) => {
    const cells = ([label, own, random, range, best], head) => `<tr${head ? ' class="mean"' : ""}><th scope="row">${escape(label)}</th><td class="own">${own}</td><td>${random}<small>${range}</small></td><td>${best}</td></tr>`
    return `<table><caption class="hidden">Explained variance where nothing was observed</caption><thead><tr><td></td><th scope="col">You</th><th scope="col" title="Mean and range of ${round.draws} networks of ten random stations">Random</th><th scope="col" title="The best ten of Where next?">Where next?</th></tr></thead><tbody>${round.rows.map((row) => cells(row, false)).join("")}${cells(round.mean, true)}</tbody></table>`
  }

  const result = () => {
    const { round } = model
    if (!("busy" in round)) return ""
    if (round.busy) return `<p class="computing" role="status">Scoring: ${round.done} of ${round.of} networks … <progress max="${round.of}" value="${round.done}" aria-label="Networks scored"></progress></p>`
    const way = model.place === "scored" ? "" : `<button type="button" data-act="show">Show me that month</button>`
    return `<div class="outcome" tabindex="-1"><p class="verdict" role="status">${escape(round.words)}</p>${table(round)}${way ? `<p class="ways">${way}</p>` : ""}</div>`
  }

  const history = () => {
    const found = kept.summary()
    if (!found) return ""
    const latest = kept.all().slice(-LATEST).reverse().map((round) => `<li><span>${escape(round.month)}</span><b>${number(round.own)}</b><small>beat ${round.beaten} of ${round.draws}</small></li>`).join("")
    const of = found.count === 1 ? "1 round" : `${found.count} rounds`
    return `<section class="rounds"><h3>${of}: mean ${number(found.own)}</h3><p>Random stations ${number(found.random)}, Where next? ${number(found.best)}; you beat ${Math.round(100 * found.share)} % of the random networks. Best: ${number(found.top.own)} in ${escape(found.top.month)}.</p><ol aria-label="Latest rounds">${latest}</ol></section>`
  }

  const card = () => {
    const { about, round } = model
    const top = `<p class="way"><button type="button" data-act="lessons">‹ Lessons</button></p><h2>Game: ten stations</h2>`
    if (model.refused) return `${top}<p class="refused" role="alert">${escape(model.refused)}</p>`
    const count = model.stations.length
    const back = model.place === "practice" ? "" : `<p class="again">${model.place === "scored" ? `The page shows the month that was scored, ${escape(model.month)}.` : `The page shows the stations ${escape(model.month)}.`} <button type="button" data-act="practise">Practise again</button></p>`
    return `${top}
      <div class="text"><p>Place ${about.count} stations so that the analysis is best where nothing is observed. Click a map to place one; drag it to move it, click it to withhold it.</p>
      <p>Each observes ${escape(about.observes)}, with an error of ${about.error} of the local spread. Practise ${escape(about.practice)}, whose target is shown. <b>Score it</b> takes the places, not the values, to a test month that was not seen in this visit, and analyses it by the default method.</p></div>
      ${back}<p class="ask">${count} of ${about.count} placed</p>${stations()}
      <p class="ways"><button type="button" class="main" data-act="score"${round.busy ? " disabled" : ""}>Score it</button></p>${result()}${history()}
      <p class="sheets"><button type="button" data-act="again">Start again</button></p>`
  }

  let drawn = "", here = false
  const show = () => {
    const { round } = model
    if (round.busy === false) kept.keep(round)
    root.hidden = !model.shown
    const html = card()
    if (html === drawn) return
    const focused = /** @type {HTMLElement} */ (root.querySelector(":focus"))
    const same = focused?.dataset.act
    drawn = html
    root.innerHTML = html
    // Those who use the keyboard stand where they were, and at the result once it is there.
    if (round.busy === false && here) /** @type {HTMLElement} */ (root.querySelector(".outcome"))?.focus()
    else if (same) /** @type {HTMLElement} */ (root.querySelector(`[data-act="${same}"]`))?.focus()
    else if (focused?.dataset.remove) /** @type {HTMLElement} */ (root.querySelector("[data-remove], .main"))?.focus()
    here = round.busy === true && (here || same === "score")
  }

  const acts = {
    lessons: () => wire.send({ type: "lesson", value: "list" }),
    practise: () => wire.send({ type: "game-practise" }),
    score: () => wire.send({ type: "game-score" }),
    show: () => wire.send({ type: "game-show" }),
    again: () => {
      kept.forget()
      wire.send({ type: "game-again" })
      show()
    },
  }
  root.addEventListener("click", (e) => {
    const at = /** @type {HTMLElement} */ (/** @type {HTMLElement} */ (e.target).closest("button"))
    if (!at) return
    if (at.dataset.remove) wire.send({ type: "game-remove", at: Number(at.dataset.remove) })
    else acts[at.dataset.act]?.()
  })
  const opened = () => {
    // Clicks place stations, whatever the pointer did before.
    if (model.shown) document.dispatchEvent(new CustomEvent("mlda:mode", { detail: "place" }))
  }
  model.on("shown", opened)
  for (const name of ["shown", "stations", "month", "place", "round"]) model.on(name, () => queueMicrotask(show))
  show()
  opened()
}
