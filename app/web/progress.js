const KEY = "mlda-learnt"

/**
 * Keep which questions of which lessons were answered, in the browser alone.
 * @param {() => Storage} store - a browser that stores nothing may refuse it
 */
export function progress(store) {
  const read = () => {
    try {
      const found = JSON.parse(store().getItem(KEY) ?? "{}")
      return found && typeof found === "object" ? found : {}
    } catch { return {} }
  }
  return {
    /**
     * Keep an answer: once right it stays so.
     * @param {string} lesson
     * @param {number} step
     * @param {boolean} right
     */
    keep(lesson, step, right) {
      const all = read()
      all[lesson] = { ...all[lesson], [step]: right || all[lesson]?.[step] === true }
      try { store().setItem(KEY, JSON.stringify(all)) } catch { /* a browser that stores nothing */ }
    },
    /**
     * Return whether an answer was right; undefined where there was none.
     * @param {string} lesson
     * @param {number} step
     * @returns {boolean | undefined}
     */
    answer(lesson, step) {
      const was = read()[lesson]?.[step]
      return typeof was === "boolean" ? was : undefined
    },
    /**
     * Return how far a lesson is, for its mark in the list.
     * @param {string} lesson
     * @param {number} count
     */
    of(lesson, count) {
      const done = Array.from({ length: count }, (_, i) => this.answer(lesson, i + 1)).filter((was) => was !== undefined)
      if (done.length < count) return { state: done.length ? "begun" : "", words: done.length ? `${done.length} of ${count} answered` : "not begun" }
      const right = done.filter(Boolean).length
      return { state: "right", words: `done: ${right} of ${count} right` }
    },
  }
}
