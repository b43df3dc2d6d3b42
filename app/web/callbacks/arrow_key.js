// The key stays in the lower right corner of what is seen, however far one has zoomed in.
const w = x.end - x.start, h = y.end - y.start
const x0 = x.end - aside * w - length, y0 = y.start + Math.max(up * h, least_up)
arrow.data = {x: line.map((v) => v + x0), y: rise.map((v) => v + y0)}
for (const text of texts) text.data = {...text.data, x: [x0 - between * w], y: [y0]}
