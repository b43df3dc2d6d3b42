// Every year has its tick where there is room for its name, else every fifth or tenth; of days every month, else
// every third, sixth or twelfth.
const { x, year } = years.data
const { start, end } = cb_data
const ofDays = (year[0] ?? "").includes("-")
const [each, room, steps] = ofDays ? [30, 0.12, [1, 3, 6, 12, 24, 60, 120]] : [12, 0.05, [1, 5, 10, 25, 50]]
const step = steps.find((s) => (each * s) / (end - start) > room) ?? steps.at(-1)
const number = (name) => {
  const [y, month] = name.split("-").map(Number)
  return ofDays ? 12 * y + month - 1 : y
}
return x.filter((at, i) => at >= start && at <= end && (step === 1 || number(year[i]) % step === 0))
