/** @param {number} number */
const two = (number) => String(number).padStart(2, "0")

/**
 * The months or days of a bundle, by their labels: 1997-12, 1997-12-05.
 * @param {Record<string, string>} splits - by year a letter for each date, "-" where there is none
 * @param {string[]} dates - what follows the year in a label: MM, or MM-DD
 */
export function calendar(splits, dates) {
  const years = Object.keys(splits).sort()
  const codes = new Map(years.flatMap((y) => [...splits[y]].map((code, k) => [`${y}-${dates[k]}`, code])))
  const labels = [...codes.keys()].filter((label) => codes.get(label) !== "-")
  /** Those that begin with a year, or a year and a month. */
  const within = (start) => labels.filter((label) => label.startsWith(start))
  return {
    years,
    within,
    /** The letter of a label's split. */
    codeOf: (label) => codes.get(label) ?? "-",
    /** The same day, or the month itself, in another month of the year. */
    inMonth: (label, month) => `${label.slice(0, 5)}${two(month)}${label.slice(7)}`,
    /** What there is nearest to a label: itself, else of its month the nearest, else the first of its year. */
    nearest(wanted) {
      if (labels.includes(wanted)) return wanted
      const away = (label) => Math.abs(Number(label.slice(8)) - Number(wanted.slice(8)))
      const [found] = within(wanted.slice(0, 7)).sort((a, b) => away(a) - away(b))
      return found ?? within(wanted.slice(0, 4))[0]
    },
    /** So many further on, round both ends. */
    after: (label, by) => labels[(labels.indexOf(label) + by + labels.length) % labels.length],
    /** How far a label is along all years, 0 to 1; years stand side by side, whatever lies between them. */
    placeOf(label) {
      const past = (dates.indexOf(label.slice(5)) + 0.5) / dates.length
      return (years.indexOf(label.slice(0, 4)) + past) / years.length
    },
  }
}
