// What the page says of itself: the first sentence, which goes once the visitor has begun; the help behind the
// question mark; and the words behind an (i). Their HTML is in guide.html. It works before the server is heard.
window.pageGuide = (() => {
  const root = document.documentElement
  const $ = (query) => document.querySelector(query)
  const BEGUN = "mlda-begun"
  // Parts of a link that say how the page looks: who changes these alone has not begun.
  const PLAIN = ["bundle", "theme", "projection", "fields"]
  const begunBefore = () => {
    try { return localStorage.getItem(BEGUN) !== null } catch { return false }
  }
  const greet = (on) => {
    root.toggleAttribute("data-welcome", on)
    try { if (!on) localStorage.setItem(BEGUN, "1") } catch { /* a browser that stores nothing */ }
  }
  if (root.hasAttribute("data-welcome") && begunBefore()) root.removeAttribute("data-welcome")

  const open = (part = "start", term = "") => {
    const guide = /** @type {HTMLDialogElement} */ ($("#guide"))
    if (!guide) return
    $("#word").hidePopover()
    if (!guide.open) guide.showModal()
    const choice = /** @type {HTMLInputElement} */ ($(`#guide [value="${part}"]`))
    choice.checked = true
    choice.focus()
    for (const was of document.querySelectorAll("#guide .found")) was.classList.remove("found")
    if (!term) return
    find("")
    const found = entry(term)
    found?.classList.add("found")
    found?.scrollIntoView({ block: "center" })
  }
  const shut = () => /** @type {HTMLDialogElement} */ ($("#guide"))?.close()

  const entry = (term) => /** @type {HTMLElement} */ ($(`#guide [data-term="${CSS.escape(term)}"]`))
  const find = (text) => {
    const wanted = text.trim().toLowerCase()
    const field = /** @type {HTMLInputElement} */ ($("#guide .find input"))
    if (field.value !== text) field.value = text
    let any = false
    for (const list of document.querySelectorAll("#guide .words dl")) {
      const rows = /** @type {HTMLElement[]} */ ([...list.children])
      for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted)
      const head = /** @type {HTMLElement} */ (list.previousElementSibling)
      head.hidden = rows.every((row) => row.hidden)
      any ||= !head.hidden
    }
    const none = /** @type {HTMLElement} */ ($("#guide .none"))
    none.hidden = any
  }

  // The (i) whose word stands open: a second press closes it, though the first half of that press has already.
  let asked = null, pressed = null
  const word = () => /** @type {HTMLElement} */ ($("#word"))
  const stands = () => word()?.matches(":popover-open")
  const explain = (button) => {
    const found = entry(button.dataset.term)
    if (!found || pressed === button) return
    const box = word()
    box.querySelector("dl").replaceChildren(...[...found.children].map((part) => part.cloneNode(true)))
    asked = button
    box.showPopover()
    const at = button.getBoundingClientRect(), { offsetWidth: wide, offsetHeight: high } = box
    const below = at.bottom + 6 + high <= innerHeight
    box.style.left = `${Math.max(8, Math.min(at.left - 12, innerWidth - wide - 8))}px`
    box.style.top = `${Math.max(8, below ? at.bottom + 6 : at.top - 6 - high)}px`
  }

  document.addEventListener("pointerdown", (e) => {
    pressed = stands() && e.composedPath().includes(asked) ? asked : null
  }, true)
  document.addEventListener("click", (e) => {
    const at = /** @type {HTMLElement} */ (e.composedPath()[0])
    const on = (query) => /** @type {HTMLElement} */ (at.closest?.(query))
    const chip = on("a[data-try]"), button = on("button.info")
    if (button) {
      // Within a label it would tick or focus what the label is of.
      e.preventDefault()
      explain(button)
    }
    else if (on("#help, [data-help]")) open()
    else if (on("#word .more")) open("words", asked?.dataset.term)
    else if (on("#welcome .close")) greet(false)
    else if (on("#guide .close") || at === $("#guide")) shut()
    // A second tab or window is the browser's.
    else if (chip && root.hasAttribute("data-listens") && !(e.ctrlKey || e.metaKey || e.shiftKey || e.altKey)) {
      e.preventDefault()
      shut()
      greet(false)
      document.dispatchEvent(new CustomEvent("mlda:try", { detail: chip.dataset.try }))
    }
    else if (on("#again")) root.toggleAttribute("data-welcome", true)
    pressed = null
  }, true)
  document.addEventListener("input", (e) => {
    const at = /** @type {HTMLInputElement} */ (e.target)
    if (at.matches?.("#guide .find input")) find(at.value)
  })
  document.addEventListener("keydown", (e) => {
    const at = /** @type {HTMLElement} */ (e.composedPath()[0])
    if (stands() && e.key === "Escape") {
      // The word alone, not the tools or the row behind it as well.
      e.stopPropagation()
      word().hidePopover()
      asked?.focus()
    }
    // The page behind the help hears none of its keys.
    else if (/** @type {HTMLDialogElement} */ ($("#guide"))?.open) e.stopPropagation()
    else if (e.key === "?" && !e.ctrlKey && !e.metaKey && !at.matches?.("input:not([type=range], [type=checkbox], [type=radio]), textarea, select, [contenteditable]")) {
      e.preventDefault()
      open()
    }
  }, true)
  document.addEventListener("mlda:query", (e) => {
    const { detail } = /** @type {CustomEvent} */ (e)
    const first = /** @type {HTMLElement} */ ($("#welcome")).dataset.month
    const begun = [...new URLSearchParams(detail)].some(([key, value]) =>
      !PLAIN.includes(key) && !(key === "month" && value === first))
    if (begun) greet(false)
  })
  return { open }
})()
