// Two requests in flight, the latest of each kind waiting: the server makes a frame while the browser
// paints the one before, but no queue builds up while a slider moves, so the picture does not lag behind it.
// The server acknowledges in the same message as the new frame.
export const IN_FLIGHT = 2
// A server that answers later than this has many to answer: then one request is in flight, for with two of each
// visitor everybody waits twice as long, and nobody sees more frames.
export const SLOW_MS = 500
// The connection tells when it is lost: no answer for so long is a fault of the server's. After 5 s, as it was once,
// those who waited for a server with much to do gave it more.
export const GIVE_UP_MS = 30_000
// The slowest answer seen, a first change on two busy cores, took 2 s.
export const LOST_AFTER_MS = 8000

/** Show on the document whether anything is under way; page and tests wait for it. */
export const underWay = () => {
  const count = Object.values(window.mldaUnderWay ?? {}).reduce((a, b) => a + b, 0)
  document.documentElement.toggleAttribute("data-busy", count > 0)
}

const listens = () => document.documentElement.hasAttribute("data-listens")

/** Let every channel send: what is sent while the page is first drawn is lost, so it waits. */
export const serverListens = () => {
  document.documentElement.toggleAttribute("data-listens", true)
  document.dispatchEvent(new CustomEvent("mlda:listens"))
}

/**
 * Return what sends a component's messages.
 * @param {Model} model
 */
export function channel(model) {
  const me = (window.mldaChannels ?? 0) + 1
  window.mldaChannels = me
  // Counted on from the server's number: a page that is drawn again in one session starts there.
  let busy = 0, seq = model.ack, since = 0, slow = false
  const sentAt = new Map()
  const waiting = new Map()
  const tell = () => {
    window.mldaUnderWay = { ...window.mldaUnderWay, [me]: busy + waiting.size }
    underWay()
  }
  const flush = () => {
    tell()
    if (!listens() || busy >= (slow ? 1 : IN_FLIGHT) || waiting.size === 0) return
    busy += 1
    since = performance.now()
    const batch = [...waiting.values()]
    waiting.clear()
    tell()
    model.send_msg({ seq: ++seq, batch })
    const sent = since
    sentAt.set(seq, sent)
    setTimeout(() => {
      if (busy > 0 && since === sent) document.dispatchEvent(new CustomEvent("mlda:lost"))
    }, LOST_AFTER_MS)
  }
  model.on("ack", () => {
    // By number, not by one less: two answers that the server makes in one message are one change.
    busy = Math.max(0, seq - model.ack)
    for (const [number, at] of sentAt) {
      if (number > model.ack) break
      slow = performance.now() - at > SLOW_MS
      sentAt.delete(number)
    }
    // For benchmarks: what the last batches took on the server, and when each was answered.
    document.dispatchEvent(new CustomEvent("mlda:ack", { detail: { ack: model.ack, took: model.took } }))
    flush()
  })
  if (!listens()) document.addEventListener("mlda:listens", flush, { once: true })
  return {
    /**
     * Send a message. Of those with one key only the last is sent, in the order in which keys first came.
     * @param {Message} message
     * @param {string} key
     */
    send(message, key = message.type) {
      waiting.set(key, message)
      // An answer that never comes must not block for ever.
      if (performance.now() - since > GIVE_UP_MS) busy = 0
      flush()
    },
    get idle() { return busy === 0 && waiting.size === 0 },
  }
}
