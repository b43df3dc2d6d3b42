const KEY = "mlda-rounds"

/**
 * @typedef {{ id: string, month: string, own: number, random: number, best: number, beaten: number, draws: number }} Round
 */

/**
 * Keep the rounds of the game that were played on a bundle, in the browser alone.
 * @param {() => Storage} store - a browser that stores nothing may refuse it
 * @param {string} bundle
 */
export function rounds(store, bundle) {
  const read = () => {
    try {
      const found = JSON.parse(store().getItem(KEY) ?? "{}")
      return found && typeof found === "object" ? found : {}
    } catch { return {} }
  }
  const write = (mine) => {
    try { store().setItem(KEY, JSON.stringify({ ...read(), [bundle]: mine })) } catch { /* a browser that stores nothing */ }
  }
  const good = (round) => ["own", "random", "best", "beaten", "draws"].every((name) => Number.isFinite(round?.[name]))
    && typeof round.id === "string" && typeof round.month === "string"
  /** @returns {Round[]} */
  const all = () => {
    const mine = read()[bundle]
    return Array.isArray(mine) ? mine.filter(good) : []
  }
  return {
    all,
    /**
     * Keep a round, once.
     * @param {Round} round
     */
    keep(round) {
      const before = all()
      if (!good(round) || before.some((was) => was.id === round.id)) return
      const { id, month, own, random, best, beaten, draws } = round
      write([...before, { id, month, own, random, best, beaten, draws }])
    },
    /** Forget all of them. */
    forget() { write([]) },
    /** Return the mean of each number over all rounds, and the best round; null before the first. */
    summary() {
      const mine = all()
      if (!mine.length) return null
      const mean = (name) => mine.reduce((sum, round) => sum + round[name], 0) / mine.length
      const share = mine.reduce((sum, round) => sum + round.beaten / round.draws, 0) / mine.length
      const top = mine.reduce((a, b) => b.own > a.own ? b : a)
      return { count: mine.length, own: mean("own"), random: mean("random"), best: mean("best"), share, top }
    },
  }
}
