// Every year has its tick where there is room for its name, else every fifth or tenth.
const { x, year } = years.data
const { start, end } = cb_data
const step = [1, 5, 10, 25].find((s) => (12 * s) / (end - start) > 0.05) ?? 50
return x.filter((at, i) => at >= start && at <= end && (step === 1 || Number(year[i]) % step === 0))
