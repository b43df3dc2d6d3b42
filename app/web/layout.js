// What the page arranges without the server: theme of a first visit, tools shown or not, one variable
// enlarged, which pane a narrow window shows, height of the foot. Sizes are set in page.css.
window.pageLayout = (() => {
  const root = document.documentElement
  // Below it: one column, and the tools as a sheet from below. The style sheets have the same number.
  const narrow = matchMedia("(max-width: 899px)")
  // Maps below these sizes have their titles above them, and the scatter in their place when asked for.
  const COMPACT = 760
  const LEAST = 128
  const FOOT_STEP = 24
  const $ = (query) => document.querySelector(query)
  // All that lies in a node, in shadow roots too.
  const deep = (node) => [...node.querySelectorAll("*")].flatMap((n) => [n, ...(n.shadowRoot ? deep(n.shadowRoot) : [])])
  const stored = (store, key, value) => {
    try {
      if (value === undefined) return store.getItem(key)
      if (value === null) store.removeItem(key)
      else store.setItem(key, value)
    } catch { /* a browser that stores nothing */ }
    return null
  }

  // A link's theme comes first, then what this visitor chose before, then what the system prefers.
  const preferred = () => {
    if (new URLSearchParams(location.search).has("theme")) return root.dataset.theme
    return stored(localStorage, "mlda-theme") ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")
  }
  root.dataset.theme = preferred()

  const folded = () => root.classList.contains("folded")
  const fold = (on) => {
    root.classList.toggle("folded", on)
    document.dispatchEvent(new CustomEvent("mlda:folded"))
  }
  const compact = () => {
    const on = narrow.matches || $("#maps").clientWidth < COMPACT
    root.classList.toggle("compact", on)
    return on
  }
  // Height of a row's maps, with the tools and without: what hides them must make small maps larger.
  const tryFolded = (on) => {
    root.classList.toggle("folded", on)
    const small = compact()
    const high = $(".map.model").offsetHeight || $(".map.target").offsetHeight
    return { high, small: small || high < LEAST }
  }
  // Until the visitor shows or hides them.
  let chosen = false
  const firstFold = () => {
    if (chosen) return
    const open = tryFolded(false), shut = tryFolded(true)
    // Whoever follows a link to a lesson is to see it.
    fold((narrow.matches && !root.hasAttribute("data-learn")) || (open.small && shut.high > open.high))
    compact()
  }

  const enlarge = (row) => {
    const main = $("#maps")
    const on = row !== null && !row.classList.contains("large")
    for (const other of main.querySelectorAll(".row[data-variable]")) {
      const large = on && other === row
      other.classList.toggle("large", large)
      other.querySelector(".enlarge").setAttribute("aria-pressed", String(large))
    }
    main.toggleAttribute("data-large", on)
  }

  const show = (what) => {
    const main = $("#maps")
    // A second touch on the scatter brings the maps back.
    main.dataset.show = what === "scatter" && main.dataset.show === "scatter" ? "model" : what
    for (const b of main.querySelectorAll("button[data-show]")) {
      b.setAttribute("aria-pressed", String(b.dataset.show === main.dataset.show))
    }
  }

  // The foot's height in pixels; null: what its style sheet makes of the window.
  const footSize = (height) => {
    const most = $(".right").clientHeight - 150
    const size = height === null ? null : Math.round(Math.min(Math.max(height, 120), most))
    if (size === null) root.style.removeProperty("--foot")
    else root.style.setProperty("--foot", `${size}px`)
    stored(sessionStorage, "mlda-foot", size === null ? null : String(size))
  }
  // Height of what is open in the foot: all but its line of headings, which wraps on a phone.
  const footOpen = () => {
    const line = deep($("#foot")).find((node) => node.matches(".line"))
    return $("#foot").offsetHeight - (line?.offsetHeight ?? 0)
  }
  const sizeFoot = (handle) => {
    let from = null
    const tell = () => handle.setAttribute("aria-valuenow", String(Math.round(100 * $("#foot").offsetHeight / $(".right").clientHeight)))
    new ResizeObserver(tell).observe($("#foot"))
    handle.addEventListener("pointerdown", (e) => {
      handle.setPointerCapture(e.pointerId)
      from = { y: e.clientY, height: footOpen() }
    })
    handle.addEventListener("pointermove", (e) => { if (from && e.clientY !== from.y) footSize(from.height + from.y - e.clientY) })
    for (const end of ["pointerup", "pointercancel"]) handle.addEventListener(end, () => { from = null })
    handle.addEventListener("dblclick", () => footSize(null))
    handle.addEventListener("keydown", (e) => {
      const way = { ArrowUp: 1, ArrowDown: -1 }[e.key]
      if (!way) return
      e.preventDefault()
      footSize(footOpen() + way * FOOT_STEP)
    })
    const before = Number(stored(sessionStorage, "mlda-foot"))
    if (before) footSize(before)
  }

  // Bokeh takes all touches on a map; a page that scrolls needs the vertical ones.
  const letScroll = () => {
    const maps = [...document.querySelectorAll(".map")]
    const found = maps.map((map) => deep(map).filter((n) => n.classList.contains("bk-events")))
    for (const layer of found.flat()) layer.style.touchAction = "var(--touch)"
    if (found.some((layers) => !layers.length)) setTimeout(letScroll, 400)
  }

  const begin = () => {
    firstFold()
    new ResizeObserver(compact).observe($("#maps"))
    window.addEventListener("resize", firstFold)
    // After the window's own event: what was chosen was for the other layout.
    narrow.addEventListener("change", () => {
      chosen = false
      firstFold()
    })
    sizeFoot($("#foot-size"))
    if (matchMedia("(any-pointer: coarse)").matches) letScroll()
  }

  document.addEventListener("click", (e) => {
    const at = /** @type {HTMLElement} */ (e.composedPath()[0])
    /** @type {HTMLElement} */
    const choice = at.closest?.("button[data-show]")
    if (at.closest?.("#fold, #close")) {
      chosen = true
      fold(!folded())
    }
    else if (choice) show(choice.dataset.show)
    else if (at.closest?.(".enlarge")) enlarge(at.closest(".row"))
    else if (at.closest?.("#theme")) stored(localStorage, "mlda-theme", root.dataset.theme === "dark" ? "light" : "dark")
  }, true)
  document.addEventListener("dblclick", (e) => {
    const at = /** @type {HTMLElement} */ (e.target)
    const row = at.closest?.("main .row[data-variable]")
    if (row && !at.closest(".enlarge")) enlarge(row)
  })
  document.addEventListener("keydown", (e) => {
    const at = /** @type {HTMLElement} */ (e.target)
    if (e.key === "Enter" && at.matches?.("main .row[data-variable]")) enlarge(at)
    if (e.key !== "Escape") return
    if (narrow.matches && !folded()) fold(true)
    else enlarge(null)
  })
  return { begin, folded, preferred }
})()
