/**
 * Show the link to what is shown, and its QR code for the phones of a class; its HTML is in share.html.
 * @param {Model} model
 * @param {any} el - the element that holds the bar
 * @param {{ send(message: Message): void }} wire
 */
export function sharing(model, el, wire) {
  const box = () => /** @type {HTMLDialogElement} */ (document.querySelector("#shared"))
  const at = (query) => /** @type {any} */ (box().querySelector(query))
  // The address by which the visitor came, through whatever stands between: the server knows its own name alone.
  el.querySelector("#share").addEventListener("click", () => wire.send({ type: "share", page: location.origin + location.pathname }))

  const copy = async () => {
    const copied = await navigator.clipboard?.writeText(at(".link").value).then(() => true, () => false)
    // Without a secure address browsers let no page copy.
    if (!copied) at(".link").select()
    at(".said").textContent = copied ? "The link is copied." : "Selected: copy it with the keyboard."
  }
  const enlarge = (on) => {
    box().classList.toggle("large", on)
    at("[data-large]").setAttribute("aria-pressed", String(on))
  }
  const click = (e) => {
    const button = e.target.closest("button")
    if (e.target === box() || button?.matches(".close")) box().close()
    else if (button?.matches("[data-copy]")) copy()
    else if (button?.matches("[data-large]")) enlarge(!box().classList.contains("large"))
  }
  model.on("msg:custom", (event) => {
    const message = event.data ?? event
    if (message.type !== "link") return
    at(".code").hidden = at("[data-large]").hidden = !message.code
    at(".code").src = message.code
    at(".link").value = message.link
    at(".words").textContent = message.words
    enlarge(false)
    box().onclick = click
    // The page behind it hears none of its keys.
    box().onkeydown = (e) => e.stopPropagation()
    if (!box().open) box().showModal()
    copy()
  })
}
