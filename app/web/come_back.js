// What the page does when its server is gone: it says so, and comes back with the state of its link.

// Between two looks for the server.
const EVERY_MS = 2000
// Who is lost again so soon is lost for another reason than a server that was away: no loading in circles.
const AGAIN_MS = 30_000
// When the page that is loaded next came back by itself.
const KEPT = "mlda-back"

const GONE = "The connection to the server is lost. The page comes back by itself, as its link says, once the server answers."
const AGAIN = "The connection to the server is lost again; load the page anew."
const BACK = "The server was away: this is what the page's link held."

/** Whether a server answers; a proxy before it answers with 502 or the like. */
const answers = async () => {
  try {
    return (await fetch(location.pathname, { method: "HEAD", cache: "no-store" })).status < 500
  } catch {
    return false
  }
}

/**
 * Watch the connection.
 * @param {(text: string, failed: boolean) => void} say
 * @returns {{ readonly gone: boolean }}
 */
export function comeBack(say) {
  let gone = false
  const since = Number(sessionStorage.getItem(KEPT) ?? -Infinity)
  const soon = () => Date.now() - since < AGAIN_MS
  const lost = async () => {
    if (gone) return
    gone = true
    say(soon() ? AGAIN : GONE, true)
    if (soon()) return
    while (!(await answers())) await new Promise((done) => setTimeout(done, EVERY_MS))
    sessionStorage.setItem(KEPT, String(Date.now()))
    location.reload()
  }
  window.Bokeh?.documents[0]?.on_event("connection_lost", lost)
  if (soon()) say(BACK, false)
  return { get gone() { return gone } }
}
