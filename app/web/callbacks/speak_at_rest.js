// For screen readers, once the hand rests: words that change with each frame of a slider would never end.
clearTimeout(window.mldaSpoken)
const words = cb_obj.text
window.mldaSpoken = setTimeout(() => { place.text = `<span role="status">${words}</span>` }, 700)
