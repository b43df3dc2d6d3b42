// What several parts of the page do with its document.

/**
 * Write a text so that HTML shows it as it is.
 * @param {unknown} text
 * @returns {string}
 */
export const escape = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)

/**
 * Give the visitor a file.
 * @param {string} name
 * @param {string | ArrayBuffer} content
 * @param {string} type - its media type
 */
export function download(name, content, type) {
  const link = document.createElement("a")
  link.href = URL.createObjectURL(new Blob([content], { type }))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 1000)
}

/**
 * Listen, and return what ends it.
 * @param {EventTarget} target
 * @param {string} name
 * @param {(event: any) => void} act
 * @param {boolean} [first] - before those that are nearer to the event
 * @returns {() => void}
 */
export function listen(target, name, act, first = false) {
  target.addEventListener(name, act, first)
  return () => target.removeEventListener(name, act, first)
}

/**
 * Let the arrows left and right move among buttons, as among radio buttons; Tab goes past them.
 * @param {HTMLElement[]} buttons
 * @param {(button: HTMLElement) => void} choose - is given the button that was moved to
 */
export function moveByArrows(buttons, choose = (button) => button.click()) {
  buttons.forEach((button, i) => {
    button.addEventListener("keydown", (e) => {
      const way = { ArrowLeft: -1, ArrowRight: 1 }[e.key]
      if (!way) return
      const other = buttons[(i + way + buttons.length) % buttons.length]
      other.focus()
      choose(other)
    })
  })
}
