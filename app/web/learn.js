import { channel } from "./channel.js"
import { escape } from "./dom.js"
import { progress } from "./progress.js"

const MARKS = { right: "✓", tried: "·" }

// Lessons: a list, or the card of one. The text and the explanation are HTML that the server made of Markdown.
export function render({ model, el }) {
  const wire = channel(model)
  const learnt = progress(() => localStorage)
  el.innerHTML = `<div class="lesson"></div>`
  const root = /** @type {HTMLElement} */ (el.querySelector(".lesson"))
  const open = (key) => wire.send({ type: "lesson", value: key })
  const sheet = (lesson, answers) => wire.send({ type: "lesson-sheet", lesson, answers })
  const sheets = (lesson, of) => `<p class="sheets"><span>Print</span> <button type="button" data-sheet="${escape(lesson)}">Worksheet${of}</button><button type="button" data-sheet="${escape(lesson)}" data-answers>Teacher’s sheet</button></p>`

  const list = () => {
    const rows = model.lessons.map((lesson, i) => {
      const { state, words } = learnt.of(lesson.name, lesson.count)
      const mark = `<span class="mark ${state}" title="${words}" aria-label="${words}">${MARKS[state] ?? i + 1}</span>`
      const about = lesson.lacking || lesson.about
      return `<li><button type="button" data-lesson="${escape(lesson.name)}"${lesson.lacking ? " disabled" : ""}>${mark}<span><b>${escape(lesson.title)}</b><small>${escape(about)}</small></span></button></li>`
    }).join("")
    const refused = model.refused.map((words) => `<p class="refused" role="alert">${escape(words)}</p>`).join("")
    return `<p class="first">Predict; then the page shows and computes what happens.</p>${refused}<ol class="lessons">${rows}</ol><ul class="lessons"><li><button type="button" data-game${model.no_game ? " disabled" : ""}><span class="mark" aria-hidden="true">★</span><span><b>Game: ten stations</b><small>${escape(model.no_game || "Place them better than chance; scored on a month that was not seen")}</small></span></button></li></ul>${sheets("", "s")}`
  }

  const dots = () => Array.from({ length: model.card.count }, (_, i) => {
    const key = i ? `${model.lesson}.${i + 1}` : model.lesson
    const was = learnt.answer(model.lesson, i + 1)
    const words = was === undefined ? "not answered yet" : was ? "answered right" : "answered"
    return `<button type="button" class="dot${was ? " right" : was === false ? " tried" : ""}" data-lesson="${escape(key)}" aria-label="Question ${i + 1}, ${words}" title="Question ${i + 1}, ${words}"${i + 1 === model.step ? ' aria-current="step"' : ""}>${i + 1}</button>`
  }).join("")

  const choices = (outcome) => {
    const given = outcome.given, done = outcome.busy === false
    if (!model.card.choices.length) {
      return `<form><label>My number <input id="number" inputmode="decimal" autocomplete="off"${done ? ` value="${escape(given)}" disabled` : ""}></label> ${escape(model.card.unit)} <button type="submit" class="main"${"busy" in outcome ? " disabled" : ""}>Answer</button></form>`
    }
    return `<div class="choices" role="group" aria-label="Answers">${model.card.choices.map((say, i) => {
      const mark = done && i === outcome.choice ? " right" : done && i === given ? " wrong" : ""
      return `<button type="button" class="choice${mark}" data-choice="${i}"${"busy" in outcome ? " disabled" : ""}>${escape(say)}${done && i === given ? '<span class="mine">your answer</span>' : ""}</button>`
    }).join("")}</div>`
  }

  const result = (outcome) => {
    if (!("busy" in outcome)) return ""
    if (outcome.busy) return `<p class="computing" role="status">Computing what happens …</p>`
    const rows = outcome.rows.map(([label, value]) => `<div><dt>${escape(label)}</dt><dd>${escape(value)}</dd></div>`).join("")
    const otherwise = outcome.stands ? "" : `<p class="refused">Here it came out otherwise than the text says; trust the numbers.</p>`
    const flip = model.card.then ? `<p class="flip" role="group" aria-label="What the page shows"><button type="button" data-show="before" aria-pressed="${model.shows === "before"}">Before</button><button type="button" data-show="after" aria-pressed="${model.shows === "after"}">After</button></p>` : ""
    return `<div class="outcome" tabindex="-1"><p class="verdict ${outcome.right ? "right" : "wrong"}" role="status">${outcome.right ? "✓ As you said" : "✗ Not as you said"}</p><dl>${rows}</dl>${flip}${otherwise}<div class="text">${outcome.html}</div></div>`
  }

  const card = () => {
    const { card: shown, outcome } = model
    const again = model.shows || "busy" in outcome ? "" : `<p class="again">The page shows something else. <button type="button" data-again>Show me</button></p>`
    const next = shown.next ? `<button type="button" class="main" data-lesson="${escape(shown.next)}">${model.step < shown.count ? "Next question" : "Next lesson"}</button>` : ""
    return `<p class="way"><button type="button" data-lesson="list">‹ Lessons</button><span class="dots" role="group" aria-label="Questions">${dots()}</span></p>
      <h2>${escape(shown.title)}</h2>
      <h3>${escape(shown.heading)}</h3><div class="text">${shown.html}</div>${again}
      <p class="ask">${escape(shown.ask)}</p>${choices(outcome)}${result(outcome)}
      <p class="on">${outcome.busy === false ? `<button type="button" data-again>Ask again</button>${next}` : ""}</p>${sheets(model.lesson, "")}`
  }

  // Whether the keyboard stood here when the answer began to be computed.
  let drawn = "", told = "", here = false
  const show = () => {
    const { outcome } = model
    root.hidden = model.away
    if (model.lesson && outcome.busy === false) {
      const told_now = `${model.lesson}.${model.step}:${outcome.given}`
      if (told_now !== told) learnt.keep(model.lesson, model.step, outcome.right)
      told = told_now
    }
    const html = model.lesson ? card() : list()
    if (html === drawn) return
    const was = drawn, focused = /** @type {HTMLElement} */ (root.querySelector(":focus"))
    const flipped = focused?.dataset.show
    drawn = html
    root.innerHTML = html
    const key = `${model.lesson}.${model.step}`
    if (root.dataset.key !== key) {
      root.dataset.key = key
      el.getRootNode().host.closest?.(".tool")?.scrollTo(0, 0)
      // Those who use the keyboard go on from the card that they opened.
      if (was && focused) /** @type {HTMLElement} */ (root.querySelector(".choice, #number, [data-lesson]"))?.focus()
    }
    else if (flipped) /** @type {HTMLElement} */ (root.querySelector(`[data-show="${flipped}"]`))?.focus()
    else if (outcome.busy === false && (focused || here)) /** @type {HTMLElement} */ (root.querySelector(".outcome"))?.focus({ preventScroll: true })
    here = outcome.busy === true && (here || focused !== null)
  }

  root.addEventListener("click", (e) => {
    const at = /** @type {HTMLElement} */ (/** @type {HTMLElement} */ (e.target).closest("button"))
    if (!at) return
    const { lesson, choice, show: which, sheet: of } = at.dataset
    if (lesson) open(lesson)
    else if ("game" in at.dataset) wire.send({ type: "game" })
    else if (choice) wire.send({ type: "lesson-answer", value: Number(choice) })
    else if (which) wire.send({ type: "lesson-show", value: which })
    else if (of !== undefined) sheet(of, "answers" in at.dataset)
    else if ("again" in at.dataset) open(model.step > 1 ? `${model.lesson}.${model.step}` : model.lesson)
  })
  root.addEventListener("submit", (e) => {
    e.preventDefault()
    const text = /** @type {HTMLInputElement} */ (root.querySelector("#number")).value.trim()
    const value = Number(text.replace("−", "-").replace(",", "."))
    // What is no number the server refuses in its own words.
    wire.send({ type: "lesson-answer", value: text && Number.isFinite(value) ? value : text })
  })
  model.on("msg:custom", (event) => {
    const message = event.data ?? event
    if (message.type !== "sheet") return
    // Printed alone (learn_print.css), in the page's own document: a new window might be blocked.
    const paper = document.querySelector("#worksheet")
    paper.innerHTML = message.html
    const end = () => document.documentElement.toggleAttribute("data-sheet", false)
    document.documentElement.toggleAttribute("data-sheet", true)
    addEventListener("afterprint", end, { once: true })
    print()
  })
  for (const name of ["lessons", "refused", "lesson", "step", "card", "outcome", "shows", "away"]) model.on(name, () => queueMicrotask(show))
  show()
}
