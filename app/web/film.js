/**
 * Let a button start and stop a film, one step at each interval.
 * @param {Model} model - its film ends with it
 * @param {HTMLButtonElement} button
 * @param {number} interval - milliseconds
 * @param {() => void} step - leaves one out while the last frame is not drawn
 * @param {(on: boolean) => void} changed
 */
export function film(model, button, interval, step, changed) {
  let clock = null
  const play = (on) => {
    clearInterval(clock)
    clock = on ? setInterval(step, interval) : null
    button.setAttribute("aria-pressed", String(on))
    changed(on)
  }
  button.addEventListener("click", () => play(clock === null))
  model.on("remove", () => play(false))
  return { play, get on() { return clock !== null } }
}
