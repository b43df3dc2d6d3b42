import { download } from "./dom.js"

/**
 * Show the program that makes what the page shows, to be copied or taken along as a notebook; its HTML is in continue.html.
 * @param {Model} model
 */
export function continuation(model) {
  const dialog = () => /** @type {HTMLDialogElement} */ (document.querySelector("#continue"))
  const part = (query) => /** @type {HTMLElement} */ (dialog().querySelector(query))
  let notebook = { name: "", text: "" }
  const say = (words) => { part(".said").textContent = words }

  const show = (message) => {
    notebook = { name: message.name, text: message.notebook }
    part(".program").textContent = message.program
    part(".commands").textContent = message.commands
    part(".commands").hidden = part(".lines").hidden = !message.commands
    part(".beyond").replaceChildren(...message.beyond.map((sentence) =>
      Object.assign(document.createElement("li"), { textContent: sentence })))
    say("")
    const box = dialog()
    box.onclick = click
    // The page behind it hears none of its keys.
    box.onkeydown = (e) => e.stopPropagation()
    if (!box.open) box.showModal()
    part(".part").scrollTop = 0
  }
  const copy = async (name) => {
    const box = part(`.${name}`)
    const copied = await navigator.clipboard?.writeText(box.textContent).then(() => true, () => false)
    // Without a secure address browsers let no page copy.
    if (!copied) getSelection().selectAllChildren(box)
    say(copied ? "Copied." : "Selected: copy it with the keyboard.")
  }
  model.on("msg:custom", (event) => {
    const message = event.data ?? event
    if (message.type === "python") show(message)
  })
  const click = (e) => {
    const at = /** @type {HTMLElement} */ (e.target)
    const button = at.closest("button")
    if (at === dialog() || button?.matches(".close")) dialog().close()
    else if (button?.dataset.copy) copy(button.dataset.copy)
    else if (button?.matches("[data-notebook]")) {
      download(notebook.name, notebook.text, "application/x-ipynb+json")
      say(`Saved as ${notebook.name}.`)
    }
  }
}
