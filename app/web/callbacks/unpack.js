// A frame travels as one array. Written into the twelve sources one by one it was 27 web socket
// messages, and each woke the browser: 30 of the 51 ms that a frame took on two cores. The arrays
// that are there keep their place and size; only their numbers change.
const bytes = packet.data.bytes[0]
const touched = new Set()
let at = bytes.byteOffset
const fill = (array) => {
  const size = array.byteLength
  new Uint8Array(array.buffer, array.byteOffset, size).set(new Uint8Array(bytes.buffer, at, size))
  at += size
}
for (const pane of packet.data.panes[0]) {
  const k = arrow_names.indexOf(pane)
  if (k >= 0) {
    fill(arrows[k].data.x)
    fill(arrows[k].data.y)
    touched.add(arrows[k])
    continue
  }
  const i = names.indexOf(pane)
  fill(images[i].data.image[0])
  touched.add(images[i])
  const kind = pane.slice(pane.lastIndexOf("_") + 1)
  if (kind !== "scatter") fill(cells[i].data[kind])
}
window.mldaPreview?.written(touched, packet.data.z[0])
for (const source of touched) source.change.emit()
