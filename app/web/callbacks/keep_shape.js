// Maps keep their shape whatever room there is: one unit of x is as many pixels as `tags` says of one of y.
const [x0, x1, y0, y1, ratio] = cb_obj.tags, w = cb_obj.inner_width, h = cb_obj.inner_height
if (w > 0 && h > 0) {
  const scale = Math.min(w / (ratio * (x1 - x0)), h / (y1 - y0))
  const wide = w / (ratio * scale), high = h / scale
  cb_obj.x_range.setv({ start: (x0 + x1 - wide) / 2, end: (x0 + x1 + wide) / 2 }, { sync: false })
  cb_obj.y_range.setv({ start: (y0 + y1 - high) / 2, end: (y0 + y1 + high) / 2 }, { sync: false })
}
