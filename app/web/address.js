import { download, listen } from "./dom.js"

// Of a larger file the start is enough to say what it is: a state with many observations is 2 MB.
const MOST = 5_100_000
// Where a file is kept while the browser goes to the page of the bundle that it is of.
const BROUGHT = "mlda-file"

/**
 * Let states come and go by links and files: the address bar with the browser's back button, Share, Save and Load.
 * @param {Model} model
 * @param {any} el - the element that holds the bar
 * @param {{ send(message: Message): void }} wire
 * @param {{ say(text: string, failed: boolean): void, passing(): boolean }} page - passing: whether what is shown is
 *     no step for the back button
 */
export function address(model, el, wire, { say, passing }) {
  const file = el.querySelector("#file")
  let text = ""
  el.querySelector("#load").addEventListener("click", () => file.click())
  file.addEventListener("change", async () => {
    const [chosen] = file.files
    file.value = ""
    if (!chosen) return
    text = await chosen.slice(0, MOST).text()
    wire.send({ type: "load", text })
  })
  // A state that was saved with this bundle, opened on the page of another.
  const brought = sessionStorage.getItem(BROUGHT)
  if (brought !== null) {
    sessionStorage.removeItem(BROUGHT)
    wire.send({ type: "load", text: brought })
  }
  const link = (query) => `${location.pathname}?${query}`
  const act = {
    // Text, or the bytes of a figure or a netCDF file.
    file: (message) => download(message.name, message.text ?? message.bytes, message.media ?? "application/json"),
    go(message) {
      try {
        if (message.file) sessionStorage.setItem(BROUGHT, text)
      } catch {
        say("The file is too large to be taken along: choose its bundle, then load it again.", true)
        return
      }
      location.assign(link(message.query))
    },
  }
  model.on("msg:custom", (event) => {
    const message = event.data ?? event
    act[message.type]?.(message)
  })
  // Each gesture is a step for the browser's back button, a film is one.
  model.on("query", () => {
    if (model.query === location.search.replace(/^\?/, "")) return
    history[passing() ? "replaceState" : "pushState"]({}, "", link(model.query))
  })
  model.on("remove", listen(window, "popstate", () => wire.send({ type: "visit", query: location.search })))
}
